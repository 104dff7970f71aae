"""The explorer: the ledger to look at, search and prove, in the browser, served by every node at ``/``.

    source/        our own code, as plain ES modules and CSS: Preact and htm draw, nothing else is a framework
      routes.js    every page: its address and its module
      pages/       one module per page, fetched when it is opened
      parts/       what pages are made of: names, amounts, tables, pictures
      words/       the dictionary, English and Greek side by side
    build.mjs      packs source/ and the npm packages that package-lock.json pins (esbuild) into built/, which git ignores
    serving.py     gives built/ to browsers

The pages show what the node's JSON says and no more, so every page links to its data. Whatever a person of another company may
have typed reaches the page as a text node (``parts/text.js``), and the content-security policy (``serving.py``) leaves a script
that got in anyway nothing to run with.
"""
