"""Names that EPCIS 2.0 and CBV 2.0 define. In JSON they are bare words; each stands for a web URI.

Sources: EPCIS 2.0 (JSON schema, JSON-LD context), CBV 2.0 sections 7.1 (business steps), 7.2 (dispositions), 7.3
(business transaction types), 7.4 (source and destination types), 7.5 (error reasons), 7.7 (sensor components).
"""

from __future__ import annotations

from typing import NamedTuple

CBV = "https://ref.gs1.org/cbv/"
EPCIS = "https://ref.gs1.org/epcis/"
GS1 = "https://gs1.org/voc/"
MASTER_DATA = "urn:epcglobal:cbv:mda:"

PREFIXES = {"cbv": CBV, "epcis": EPCIS, "gs1": GS1, "cbvmda": MASTER_DATA}
"""Prefixes of the standard's own JSON-LD context."""

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

OBJECT = "ObjectEvent"
AGGREGATION = "AggregationEvent"
TRANSACTION = "TransactionEvent"
TRANSFORMATION = "TransformationEvent"
ASSOCIATION = "AssociationEvent"
EVENT_TYPES = (OBJECT, AGGREGATION, TRANSACTION, TRANSFORMATION, ASSOCIATION)

ACTIONS = ("ADD", "OBSERVE", "DELETE")


class Vocabulary(NamedTuple):
    """A code list: the bare words, and the start of the web URI that each stands for."""

    name: str
    start: str  # a term's URI is this and the word
    urn: str  # the same as a URN, as EPCIS 1.x wrote it; empty if it never was one
    words: frozenset[str]

    def uri(self, word: str) -> str:
        """The web URI of a bare word; anything else stays as it is."""
        return self.start + word if word in self.words else word


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BIZ_STEPS = Vocabulary(
    "business step",
    CBV + "BizStep-",
    "urn:epcglobal:cbv:bizstep:",
    _words(
        "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting"
        " decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting"
        " installing killing loading other packing picking receiving removing repackaging repairing replacing reserving"
        " retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting"
        " unloading unpacking void_shipping"
    ),
)
DISPOSITIONS = Vocabulary(
    "disposition",
    CBV + "Disp-",
    "urn:epcglobal:cbv:disp:",
    _words(
        "active available completeness_inferred completeness_verified conformant container_closed container_open damaged"
        " destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance"
        " mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed"
        " recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown"
    ),
)
BIZ_TRANSACTION_TYPES = Vocabulary(
    "business transaction type",
    CBV + "BTT-",
    "urn:epcglobal:cbv:btt:",
    _words("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt"),
)
PARTY_TYPES = Vocabulary(
    "source or destination type",
    CBV + "SDT-",
    "urn:epcglobal:cbv:sdt:",
    _words("owning_party possessing_party location"),
)
ERROR_REASONS = Vocabulary("error reason", CBV + "ER-", "urn:epcglobal:cbv:er:", _words("did_not_occur incorrect_data"))
COMPONENTS = Vocabulary(
    "sensor component",
    CBV + "Comp-",
    "",
    _words(
        "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude"
        " longitude altitude"
    ),
)
MEASUREMENTS = Vocabulary(
    "measurement type",
    GS1,
    "",
    _words(
        "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance"
        " AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance"
        " Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity"
        " ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency"
        " Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux"
        " LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate"
        " MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux"
        " RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed"
        " SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction"
        " VolumetricFlux Wavenumber"
    ),
)
EXCEPTIONS = Vocabulary("sensor exception", GS1, "", _words("ALARM_CONDITION ERROR_CONDITION"))

URNS = tuple(
    (each.urn, each.start) for each in (BIZ_STEPS, DISPOSITIONS, BIZ_TRANSACTION_TYPES, PARTY_TYPES, ERROR_REASONS)
)
"""How the URNs of EPCIS 1.x start, and the web URIs that replaced them."""


def web_uri(text: str) -> str:
    """A CBV term's web URI in the place of its old URN, wherever it stands."""
    if "urn:epcglobal:cbv:" not in text:
        return text
    for urn, start in URNS:
        text = text.replace(urn, start)
    return text
