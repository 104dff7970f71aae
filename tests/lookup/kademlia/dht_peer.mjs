// A peer of the npm package bittorrent-dht, led by lines of JSON: {id, do, ...} on stdin, {id, ...} on stdout.
import DHT from 'bittorrent-dht'
import crypto from 'node:crypto'
import readline from 'node:readline'

const [address, port, bootstrap] = process.argv.slice(2)
const SPKI = Buffer.from('302a300506032b6570032100', 'hex') // RFC 8410: what stands before a raw Ed25519 public key
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicKey = (raw) => crypto.createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
const verify = (sig, value, raw) => crypto.verify(null, value, publicKey(raw), sig)
const dht = new DHT({ bootstrap: bootstrap.split(','), verify })

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const text = (value) => (Buffer.isBuffer(value) ? value.toString('hex') : null)

const verbs = {
  put (ask, done) {
    dht.put({ v: Buffer.from(ask.value, 'hex') }, (error, hash) => done({ error: error && error.message, key: text(hash) }))
  },
  get (ask, done) {
    const options = ask.salt ? { verify, salt: Buffer.from(ask.salt, 'hex') } : { verify }
    dht.get(Buffer.from(ask.key, 'hex'), options, (error, found) =>
      done({ error: error && error.message, value: found ? text(found.v) : null, seq: found ? found.seq : null }))
  },
  putSigned (ask, done) {
    const secret = crypto.createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.from(ask.secret, 'hex')]), format: 'der', type: 'pkcs8' })
    const k = crypto.createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)
    const sign = (data) => crypto.sign(null, data, secret)
    const item = { k, seq: ask.seq, v: Buffer.from(ask.value, 'hex'), sign }
    if (ask.salt) item.salt = Buffer.from(ask.salt, 'hex')
    dht.put(item, (error, hash) => done({ error: error && error.message, key: text(hash) }))
  },
  announce (ask, done) {
    dht.announce(ask.key, ask.port, (error) => done({ error: error && error.message }))
  },
  peers (ask, done) {
    const found = []
    const hear = (peer, hash) => { if (hash.toString('hex') === ask.key) found.push(`${peer.host}:${peer.port}`) }
    dht.on('peer', hear)
    dht.lookup(ask.key, () => { dht.removeListener('peer', hear); done({ peers: found }) })
  },
  nodes (ask, done) {
    done({ nodes: dht.toJSON().nodes.map((node) => `${node.host}:${node.port}`) })
  }
}

dht.on('error', (error) => say({ fault: error.message }))
dht.listen(Number(port), address, () => say({ listening: true }))
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const ask = JSON.parse(line)
  verbs[ask.do](ask, (answer) => say({ id: ask.id, ...answer }))
}).on('close', () => process.exit(0))
