"""The words of EPCIS 2.0 and CBV 2.0 that are the same for everyone, and the URIs that they stand for.

Sources: GS1 EPCIS Standard 2.0 (June 2022) section 7 (event fields) and section 10 (JSON binding); GS1 Core Business
Vocabulary 2.0 sections 7.1 (business steps), 7.2 (dispositions), 7.3 (business transaction types), 7.4 (source and
destination types), 7.5 (error reasons), 7.7 (sensor components); GS1 Web vocabulary (measurement and alert types).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

CONTEXT_URL: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
CBV_WEB: Final = "https://ref.gs1.org/cbv/"
GS1_WEB: Final = "https://gs1.org/voc/"
CBV_URN: Final = "urn:epcglobal:cbv:"

PREFIXES: Final = MappingProxyType(
    {
        "epcis": "https://ref.gs1.org/epcis/",
        "cbv": CBV_WEB,
        "cbvmda": "urn:epcglobal:cbv:mda:",
        "gs1": GS1_WEB,
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "dcterms": "http://purl.org/dc/terms/",
    }
)
"""Prefixes that GS1's own JSON-LD context declares: usable in every document."""

ACTIONS: Final = frozenset({"ADD", "OBSERVE", "DELETE"})


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


class Words(NamedTuple):
    """One CBV list: its bare words, and what stands before each word when it is written as a URI."""

    name: str  # for people: "business step"
    web: str  # before the word in GS1 Web URI form; what event hashes use
    urns: tuple[str, ...]  # before the word in URN form (CBV 1.x) and in older Web form
    words: frozenset[str]


BIZ_STEPS: Final = Words(
    "business step",
    CBV_WEB + "BizStep-",
    (CBV_URN + "bizstep:", "https://ns.gs1.org/cbv/BizStep-"),
    _set(
        "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
        "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
        "installing killing loading other packing picking receiving removing repackaging repairing replacing "
        "reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing "
        "transporting unloading unpacking void_shipping"
    ),
)
DISPOSITIONS: Final = Words(
    "disposition",
    CBV_WEB + "Disp-",
    (CBV_URN + "disp:", "https://ns.gs1.org/cbv/Disp-"),
    _set(
        "active available completeness_inferred completeness_verified conformant container_closed container_open "
        "damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class "
        "mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other "
        "partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible "
        "stolen unavailable unknown"
    ),
)
BIZ_TRANSACTION_TYPES: Final = Words(
    "business transaction type",
    CBV_WEB + "BTT-",
    (CBV_URN + "btt:", "https://ns.gs1.org/cbv/BTT-"),
    _set("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt"),
)
PARTY_TYPES: Final = Words(
    "source or destination type",
    CBV_WEB + "SDT-",
    (CBV_URN + "sdt:", "https://ns.gs1.org/cbv/SDT-"),
    frozenset({"owning_party", "possessing_party", "location"}),
)
ERROR_REASONS: Final = Words(
    "error reason",
    CBV_WEB + "ER-",
    (CBV_URN + "er:", "https://ns.gs1.org/cbv/ER-"),
    frozenset({"did_not_occur", "incorrect_data"}),
)
COMPONENTS: Final = Words(
    "sensor component",
    CBV_WEB + "Comp-",
    (CBV_URN + "comp:", "https://ns.gs1.org/cbv/Comp-"),
    _set(
        "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude "
        "longitude altitude"
    ),
)
MEASUREMENTS: Final = Words(
    "measurement type",
    GS1_WEB,
    ("https://www.gs1.org/voc/", "http://gs1.org/voc/"),
    _set(
        "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance "
        "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance "
        "Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity "
        "ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency "
        "Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux "
        "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration "
        "MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power "
        "Pressure RadiantFlux RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle "
        "SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate "
        "VolumeFraction VolumetricFlux Wavenumber"
    ),
)
ALERTS: Final = Words(
    "sensor alert type",
    GS1_WEB,
    ("https://www.gs1.org/voc/", "http://gs1.org/voc/"),
    frozenset({"ALARM_CONDITION", "ERROR_CONDITION"}),
)

_COMMON_FIELDS: Final = _set(
    "type eventTime recordTime eventTimeZoneOffset eventID certificationInfo errorDeclaration bizStep disposition "
    "readPoint bizLocation bizTransactionList sourceList destinationList sensorElementList @context"
)
FIELDS_BY_EVENT: Final = MappingProxyType(
    {
        "ObjectEvent": _COMMON_FIELDS | {"action", "epcList", "quantityList", "persistentDisposition", "ilmd"},
        "AggregationEvent": _COMMON_FIELDS | {"action", "parentID", "childEPCs", "childQuantityList"},
        "AssociationEvent": _COMMON_FIELDS | {"action", "parentID", "childEPCs", "childQuantityList"},
        "TransactionEvent": _COMMON_FIELDS | {"action", "parentID", "epcList", "quantityList"},
        "TransformationEvent": _COMMON_FIELDS
        | {"inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"}
        | {"transformationID", "persistentDisposition", "ilmd"},
    }
)
"""Which standard fields each event type may carry (EPCIS 2.0 section 7.4)."""

EVENT_TYPES: Final = frozenset(FIELDS_BY_EVENT)
EPC_FIELDS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
QUANTITY_FIELDS: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")


def short(text: str, words: Words) -> str:
    """Return the bare CBV word that `text` stands for in any spelling, or `text` itself when it is not CBV's."""
    for before in (words.web, *words.urns):
        word = text.removeprefix(before)
        if word != text and word in words.words:
            return word
    return text


def web_uri(text: str, words: Words) -> str:
    """Return the GS1 Web URI of a CBV word in any spelling; any other text comes back as it is."""
    word = short(text, words)
    return words.web + word if word in words.words else text
