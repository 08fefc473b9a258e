"""COVID-19 vaccines in the EU's value sets, and which of them a registry's codes and product names mean.

Sources: eHealth Network, "Value Sets for EU Digital COVID Certificates", Annex A (product, holder and type, as
published 2022-12-12); US CDC, "CVX codes" for the codes. The vaccines are those given in Indonesia or known there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from notifier.certificates.codes.card import Missing, NoCode

COVID_19 = "840539006"  # SNOMED CT, the only disease of the format
CVX = "http://hl7.org/fhir/sid/cvx"
_MRNA = "1119349007"
_OTHER = "J07BX03"  # COVID-19 vaccines as such; every version of the value set has it


@dataclass(frozen=True, slots=True)
class Vaccine:
    """`mp`, `ma` and `vp` of a vaccination entry, and the name that people know it by."""

    name: str
    product: str
    holder: str
    kind: str = _OTHER


_VACCINES = (
    Vaccine("Comirnaty", "EU/1/20/1528", "ORG-100030215", _MRNA),
    Vaccine("Spikevax", "EU/1/20/1507", "ORG-100031184", _MRNA),
    Vaccine("Vaxzevria", "EU/1/21/1529", "ORG-100001699"),
    Vaccine("Jcovden", "EU/1/20/1525", "ORG-100001417"),
    Vaccine("Nuvaxovid", "EU/1/21/1618", "ORG-100032020"),
    Vaccine("CoronaVac", "CoronaVac", "Sinovac-Biotech"),
    Vaccine("BBIBP-CorV", "BBIBP-CorV", "ORG-100020693"),
    Vaccine("Convidecia", "Convidecia", "ORG-100013793"),
    Vaccine("Sputnik V", "Sputnik-V", "Gamaleya-Research-Institute"),
    Vaccine("Sputnik Light", "Sputnik-Light", "Gamaleya-Research-Institute"),
    Vaccine("Covaxin", "Covaxin", "Bharat-Biotech"),
    Vaccine("Covishield", "Covishield", "ORG-100001981"),
    Vaccine("Covovax", "Covovax", "ORG-100001981"),
)
_BY_NAME = {vaccine.name.casefold(): vaccine for vaccine in _VACCINES}
_BY_PRODUCT = {vaccine.product: vaccine for vaccine in _VACCINES}
_NAMES = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, _BY_NAME))})(?!\w)", re.I)

#: what each CVX code can mean; where it is more than one, the product's name must say which
_BY_CVX: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("208", "217", "218", "219", "300", "301", "302", "308", "309", "310"), ("Comirnaty",)),
    **dict.fromkeys(("207", "221", "227", "228", "229", "230", "311", "312"), ("Spikevax",)),
    "210": ("Vaxzevria", "Covishield"),
    "211": ("Nuvaxovid", "Covovax"),
    "212": ("Jcovden",),
    "502": ("Covaxin",),
    "504": ("Sputnik Light",),
    "505": ("Sputnik V",),
    "506": ("Convidecia",),
    "510": ("BBIBP-CorV",),
    "511": ("CoronaVac",),
}
#: COVID-19 for certain, though which product the EU's lists do not tell
_SOME_COVID = frozenset({"213", "500", "501", "503", "507", "508", "509", "512", "513", "514", "515", "516", "517"})
_COVID_WORDS = re.compile(r"covid|sars-cov-2", re.I)


def known_vaccine(system: str | None, code: str | None, product: str | None) -> Vaccine:
    """The vaccine of a dose, by its CVX code and the name of its product; other code systems (KFA) count by the name.

    Raises NoCode: `not-covid`, or `product-unclear` where code and name leave a choice or contradict each other.
    """
    named = {_BY_NAME[found.casefold()].name for found in _NAMES.findall(product or "")}
    coded = set(_BY_CVX.get(code or "", ())) if system == CVX else set()
    possible = named & coded if named and coded else named or coded
    if len(possible) == 1:
        return _BY_NAME[possible.pop().casefold()]
    about_covid = named or coded or (system == CVX and code in _SOME_COVID) or _COVID_WORDS.search(product or "")
    raise NoCode(Missing.PRODUCT_UNCLEAR if about_covid else Missing.NOT_COVID)


def vaccine_name(product: str) -> str | None:
    """The name of a product of the EU's value set (`mp`), where we know it."""
    found = _BY_PRODUCT.get(product)
    return found.name if found else None


def names_of_codes() -> dict[str, str]:
    """What to call what a code says: the products that `mp` can be here, and the CVX codes that mean one alone."""
    by_cvx = {code: names[0] for code, names in _BY_CVX.items() if len(names) == 1}
    return by_cvx | {product: vaccine.name for product, vaccine in _BY_PRODUCT.items()}
