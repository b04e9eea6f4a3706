"""How well `classify_columns` finds what columns are: precision, recall, and every miss.

    python scripts/classify_quality.py [FOLDER]

Columns that Faker makes in nine locales, once with names that say nothing and once with natural ones; what each column
is stands beside its provider. The same in locales that nobody looked at while the detectors were written; what was seen
there first has led to two rules since (the stricter test explains the same values, and so does what leaves no value
over), so they are held out no longer. And the CSV of made-up persons inside the package presidio-evaluator, which is
fetched into FOLDER (default: a temporary one) and never kept here; of its columns, one (MiddleInitial) has led to a
word. A detection of a wrong classification counts against precision, a column without a right one against recall. What
no value can tell (names, places, dates of birth) is not wanted from a column whose name says nothing: there, finding
something is an error. The natural names are by the hand that wrote the detectors' words: they show that names are used,
not how people name columns.

Last, columns of numbers and codes that are nothing: some of them look like something, and no value tells.

Some numbers that Faker makes are wrong, and so are missed: VAT numbers of Austria, Czechia, Estonia, Finland, France,
the Netherlands and Sweden have random check digits or too many digits, British NINOs the reserved ZZ. Czech and Slovak
birth numbers, and Estonian and Lithuanian codes, have one and the same arithmetic: both are found.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PRECISION, RECALL = 0.97, 0.92
ROWS, SEED = 200, 20261130

GOVERNMENT = "MICROSOFT.GOVERNMENT."
EMAIL, NAME = {"MICROSOFT.PERSONAL.EMAIL"}, {"MICROSOFT.PERSONAL.NAME"}
PHONE = {"MICROSOFT.PERSONAL.EU.PHONE_NUMBER", "MICROSOFT.PERSONAL.US.PHONE_NUMBER", "Personal.Contact.Phone"}
IBAN, CARD = {"MICROSOFT.FINANCIAL.INTERNATIONAL.BANK_ACCOUNT_NUMBER"}, {"MICROSOFT.FINANCIAL.CREDIT_CARD_NUMBER"}
BIC, ADDRESS_OF_IP = {"MICROSOFT.FINANCIAL.SWIFT_CODE"}, {"MICROSOFT.PERSONAL.IPADDRESS"}
CITY, COUNTRY = {GOVERNMENT + "CITY_NAME"}, {GOVERNMENT + "COUNTRY_NAME"}
BIRTH, AGE = {"MICROSOFT.PERSONAL.DATE_OF_BIRTH"}, {"MICROSOFT.PERSONAL.AGE"}
POSTCODE = {"Personal.Contact.PostalCode", GOVERNMENT + "US.ZIP_CODE"}
NOTHING: set[str] = set()


@dataclass(frozen=True)
class Column:
    """A provider of Faker: its natural name, what its column is, and whether values alone can tell."""

    provider: str
    name: str
    truth: set[str]
    told_by_values: bool = True
    arguments: dict[str, Any] = field(default_factory=dict)


# What the columns are, written before any result was seen.
EVERYWHERE: Final = (
    Column("email", "email", EMAIL),
    Column("company_email", "contact_mail", EMAIL),
    Column("phone_number", "phone", PHONE),
    Column("iban", "iban", IBAN),
    Column("swift11", "bic", BIC),
    Column("credit_card_number", "card_number", CARD),
    Column("ipv4", "client_ip", ADDRESS_OF_IP),
    Column("ipv6", "ip_address", ADDRESS_OF_IP),
    Column("mac_address", "mac", {"Personal.Device.MACAddress"}),
    Column("name", "customer_name", NAME, told_by_values=False),
    Column("last_name", "lastName", NAME, told_by_values=False),
    Column("city", "city", CITY, told_by_values=False),
    Column("country", "country", COUNTRY, told_by_values=False),
    Column("street_address", "street_address", {"Personal.Contact.PostalAddress"}, told_by_values=False),
    Column("postcode", "postal_code", POSTCODE, told_by_values=False),
    Column("date_of_birth", "date_of_birth", BIRTH, told_by_values=False),
    Column("user_name", "username", {"Personal.UserName"}, told_by_values=False),
    Column("password", "password", {"Secret.Password"}, told_by_values=False),
    # Hard negatives: they look like something, and are nothing.
    Column("numerify", "order_number", NOTHING, arguments={"text": "%########"}),
    Column("numerify", "invoice", NOTHING, arguments={"text": "%##########"}),
    Column("numerify", "booking", NOTHING, arguments={"text": "%#########"}),
    Column("bothify", "order_ref", NOTHING, arguments={"text": "ORD-######"}),
    Column("bothify", "sku", NOTHING, arguments={"text": "??-####-##", "letters": "ABCDEFGHJKLMNP"}),
    Column("numerify", "units", NOTHING, arguments={"text": "%##"}),
    Column("ean13", "ean", NOTHING),
    Column("isbn13", "isbn", NOTHING),
    Column("iso8601", "created_at", NOTHING),
    Column("date", "order_date", NOTHING, arguments={"pattern": "%d/%m/%Y"}),
    Column("date", "shipped", NOTHING, arguments={"pattern": "%Y%m%d"}),
    Column("unix_time", "ts", NOTHING),
    Column("pydecimal", "price", NOTHING, arguments={"left_digits": 4, "right_digits": 2, "positive": True}),
    Column("uuid4", "session", NOTHING),
    Column("sha256", "digest", NOTHING),
    Column("word", "tag", NOTHING),
    Column("sentence", "remark", NOTHING),
    Column("company", "supplier", NOTHING),
    Column("job", "job", NOTHING),
    Column("url", "website", NOTHING),
    Column("hex_color", "colour", NOTHING),
    Column("currency_code", "currency", NOTHING),
    Column("license_plate", "plate", NOTHING),
)
PER_LOCALE: Final = {
    "de_DE": (
        Column("vat_id", "ust_id", {GOVERNMENT + "GERMANY.VALUE.ADDED.TAX.NUMBER"}),
        Column("rvnr", "rentenversicherungsnummer", {"Personal.Germany.PensionInsuranceNumber"}, told_by_values=False),
        Column("kvnr", "krankenversichertennummer", {"Personal.Germany.HealthInsuranceNumber"}, told_by_values=False),
    ),
    "fr_FR": (
        Column("ssn", "numero_securite_sociale", {GOVERNMENT + "FRANCE.SOCIAL_SECURITY_NUMBER"}),
        Column("vat_id", "tva", {GOVERNMENT + "FRANCE.VALUE.ADDED.TAX.NUMBER"}),
        Column("siren", "siren", {"Business.France.CompanyNumber"}),
        Column("siret", "siret", {"Business.France.EstablishmentNumber"}),
    ),
    "it_IT": (
        Column("ssn", "codice_fiscale", {"MICROSOFT.FINANCIAL.ITALY.FISCAL.CODE"}),
        Column("vat_id", "partita_iva", {GOVERNMENT + "ITALY.VALUE.ADDED.TAX"}),
    ),
    "es_ES": (
        Column("nif", "nif", {GOVERNMENT + "SPAIN.DNI"}),
        Column("nie", "nie", {GOVERNMENT + "SPAIN.TAX.IDENTIFICATION.NUMBER"}),
        Column("cif", "cif", {"Business.Spain.CompanyNumber"}),
        Column("nuss", "seguridad_social", {GOVERNMENT + "SPAIN.SOCIAL_SECURITY_NUMBER"}, told_by_values=False),
    ),
    "nl_NL": (
        Column("ssn", "bsn", {GOVERNMENT + "NETHERLANDS.BSN_NUMBER"}),
        Column("vat_id", "btw", {GOVERNMENT + "NETHERLANDS.VALUE.ADDED.TAX.NUMBER"}),
    ),
    "pl_PL": (
        Column("pesel", "pesel", {GOVERNMENT + "POLAND.PESEL_NUMBER"}),
        Column("nip", "nip", {GOVERNMENT + "POLAND.TAX.IDENTIFICATION.NUMBER"}),
        Column("regon", "regon", {GOVERNMENT + "POLISH.REGON.NUMBER"}),
    ),
    "en_GB": (
        Column("ssn", "ni_number", {GOVERNMENT + "UK.NATIONAL_INSURANCE_NUMBER"}),
        Column("vat_id", "vat", {"Business.UnitedKingdom.VATNumber"}),
    ),
    "en_US": (
        Column("ssn", "ssn", {GOVERNMENT + "US.SOCIAL_SECURITY_NUMBER"}),
        Column("itin", "itin", {GOVERNMENT + "US.INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER"}),
        Column("ein", "ein", {"Business.UnitedStates.EIN"}, told_by_values=False),
        Column("aba", "routing_number", {"MICROSOFT.FINANCIAL.US.ABA_ROUTING_NUMBER"}),
    ),
    "sv_SE": (
        Column("ssn", "personnummer", {GOVERNMENT + "SWEDEN.NATIONAL_ID_NUMBER"}),
        Column("org_id", "organisationsnummer", {"Business.Sweden.OrganisationNumber"}),
        Column("vat_id", "momsregistreringsnummer", {"Business.Sweden.VATNumber"}),
    ),
}

# `told_by_values` is False where an identifier has no check digit.
OTHERS: Final = {
    "bg_BG": (Column("vat_id", "vat", {"Business.Bulgaria.VATNumber"}),),
    "cs_CZ": (
        Column("birth_number", "rodne_cislo", {GOVERNMENT + "CZECH.NATIONAL_ID_CARD_NUMBER"}),
        Column("vat_id", "dic", {"Business.Czechia.VATNumber"}),
    ),
    "de_AT": (
        Column("ssn", "svnr", {GOVERNMENT + "AUSTRIA.SOCIAL.SECURITY.NUMBER"}),
        Column("vat_id", "uid", {GOVERNMENT + "AUSTRIA.VALUE.ADDED.TAX"}),
    ),
    "el_GR": (
        Column("ssn", "amka", {GOVERNMENT + "GREECE.SOCIAL.SECURITY.NUMBER"}),
        Column("tin", "afm", {GOVERNMENT + "GREEK.TAX.IDENTIFICATION.NUMBER"}),
    ),
    "et_EE": (
        Column("ssn", "isikukood", {GOVERNMENT + "ESTONIA.PERSONAL.IDENTIFICATION.CODE"}),
        Column("vat_id", "kmkr", {"Business.Estonia.VATNumber"}),
    ),
    "fi_FI": (
        Column("ssn", "henkilotunnus", {GOVERNMENT + "FINLAND.NATIONAL_ID_NUMBER"}),
        Column("vat_id", "alv", {"Business.Finland.VATNumber"}),
    ),
    "fr_CH": (Column("ssn", "avs", {GOVERNMENT + "SWISS.SSN.AHV.NUMBER"}),),
    "hr_HR": (Column("ssn", "oib", {GOVERNMENT + "CROATIA.PERSONAL_IDENTIFICATION_NUMBER"}),),
    "hu_HU": (
        Column(
            "ssn",
            "szemelyi_szam",
            {GOVERNMENT + "HUNGARY.PERSONAL.IDENTIFICATION.NUMBER"},
            told_by_values=False,
        ),
    ),
    "lv_LV": (Column("ssn", "personas_kods", {GOVERNMENT + "LATVIA.PERSONAL.CODE"}),),
    "nl_BE": (Column("ssn", "rijksregisternummer", {GOVERNMENT + "BELGIUM.NATIONAL_NUMBER"}),),
    "no_NO": (Column("ssn", "fodselsnummer", {GOVERNMENT + "NORWAY.IDENTIFICATION_NUMBER"}),),
    "ro_RO": (
        Column("ssn", "cnp", {GOVERNMENT + "ROMANIA.PERSONAL.NUMERICAL.CODE"}),
        Column("vat_id", "cui", {"Business.Romania.VATNumber"}),
    ),
    "sk_SK": (Column("birth_number", "rodne_cislo", {GOVERNMENT + "SLOVAKIA.PERSONAL.NUMBER"}),),
    "tr_TR": (Column("ssn", "tc_kimlik", {GOVERNMENT + "TURKEY.TURKISH_NATIONAL_IDENTIFICATION_NUMBER"}),),
}

# The CSV's columns, as its head and its first rows show them. CCNumber and NationalID went through a spreadsheet: most
# of their values are floats in scientific notation, whose digits are lost, so nothing can be told of them.
PRESIDIO: Final = {
    "Number": NOTHING, "Gender": {"Personal.Gender"}, "NameSet": NOTHING, "Title": NOTHING, "GivenName": NAME,
    "MiddleInitial": NAME, "Surname": NAME, "StreetAddress": {"Personal.Contact.PostalAddress"}, "City": CITY,
    "State": NOTHING, "StateFull": NOTHING, "ZipCode": POSTCODE, "Country": COUNTRY, "CountryFull": COUNTRY,
    "EmailAddress": EMAIL, "Username": {"Personal.UserName"}, "Password": {"Secret.Password"}, "TelephoneNumber": PHONE,
    "TelephoneCountryCode": NOTHING, "MothersMaiden": NAME, "Birthday": BIRTH, "Age": AGE, "CCType": NOTHING,
    "CCNumber": CARD, "CVV2": {"Financial.CardSecurityCode"}, "CCExpires": NOTHING,
    "NationalID": {GOVERNMENT + "EU.NATIONAL_IDENTIFICATION_NUMBER", GOVERNMENT + "US.SOCIAL_SECURITY_NUMBER"},
    "Occupation": NOTHING, "Company": NOTHING, "Domain": NOTHING,
}  # fmt: skip


@dataclass
class Tally:
    """Right and wrong detections, columns found and wanted, and what went wrong in words."""

    title: str
    right: int = 0
    wrong: int = 0
    found: int = 0
    wanted: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, column: str, truth: set[str], detections: Iterable[Any]) -> None:
        seen = list(detections)
        good = [one for one in seen if one.classification in truth]
        self.right += len(good)
        self.wanted += bool(truth)
        self.found += bool(good)
        if truth and not good:
            self.misses.append(f"missed {column}: {', '.join(sorted(truth))}")
        for one in seen:
            if one.classification not in truth:
                self.wrong += 1
                self.misses.append(f"wrong  {column}: {one.classification}, {one.confidence}: {one.why}")

    def show(self) -> bool:
        precision = self.right / max(self.right + self.wrong, 1)
        recall = self.found / max(self.wanted, 1)
        held = precision >= PRECISION and recall >= RECALL
        print(
            f"{self.title}: precision {precision:.3f} ({self.right} of {self.right + self.wrong} detections), "
            f"recall {recall:.3f} ({self.found} of {self.wanted} columns), {'held' if held else 'NOT HELD'}"
        )
        for line in self.misses:
            print(f"  {line}")
        return held


def made(locale: str, number: int, column: Column) -> list[str | None]:
    """Values of a provider, the same in every run; one in twenty is missing."""
    from faker import Faker  # noqa: PLC0415 - only here

    fake = Faker(locale)
    fake.seed_instance(f"{SEED} {locale} {number}")
    provider = getattr(fake, column.provider)
    values = [str(provider(**column.arguments)) for _ in range(ROWS)]
    return [None if at % 20 == 19 else value for at, value in enumerate(values)]


def of_faker(locales: Mapping[str, Sequence[Column]], words: str, *, natural: bool) -> Tally:
    import polars as pl  # noqa: PLC0415

    from sovereignmesh.classification import classify_columns  # noqa: PLC0415

    tally = Tally(f"Faker, {words}, {'natural' if natural else 'neutral'} names")
    for locale, own in locales.items():
        columns = [*EVERYWHERE, *own]
        names = [column.name if natural else f"c{number}" for number, column in enumerate(columns)]
        data = {
            name: made(locale, number, column) for number, (name, column) in enumerate(zip(names, columns, strict=True))
        }
        result = classify_columns(pl.DataFrame(data))
        for name, column in zip(names, columns, strict=True):
            truth = column.truth if natural or column.told_by_values else NOTHING
            tally.add(f"{locale} {column.provider} ({name})", truth, result.column(name).detections)
    return tally


def fetch(folder: Path) -> Path:
    """The CSV, from the package's wheel, which is fetched unless it is there."""
    if not list(folder.glob("presidio_evaluator-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        subprocess.run([*command, "presidio-evaluator==0.3.2"], check=True)
    with zipfile.ZipFile(next(folder.glob("presidio_evaluator-*.whl"))) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("FakeNameGenerator.com_3000.csv"))
        return Path(wheel.extract(name, folder))


def of_presidio(folder: Path) -> Iterator[Tally]:
    import polars as pl  # noqa: PLC0415

    from sovereignmesh.classification import classify_columns  # noqa: PLC0415

    frame = pl.read_csv(fetch(folder), infer_schema=False)
    lost = {"CCNumber", "NationalID"}
    for title, left_out in (
        ("presidio-evaluator, all 30 columns", set()),
        ("without the two whose digits are lost", lost),
    ):
        tally = Tally(title)
        result = classify_columns(frame)
        for name, truth in PRESIDIO.items():
            if name not in left_out:
                tally.add(name, truth, result.column(name).detections)
        yield tally


# Nothing that is personal, by what Faker's `bothify` makes of it, or a first number that others follow. The last five
# have the look of something: no value tells that they are not, and so they are found.
LOOK_ALIKES: Final = (
    *("#" * digits for digits in range(5, 15)),
    *(10**digits + 17 for digits in range(5, 14)),
    *("0" + "#" * digits for digits in (5, 8, 10)),
    *(
        "20##1%######",
        "%#%###-####",
        "###-#######-#######",
        "#####-###",
        "?########",
        "########?",
        "#######?",
        "DE#########",
    ),
    *(
        "??#########",
        "?????####?",
        "????????",
        "?????????????????",
        "%.%#.%##",
        "%#.##",
        "%#,##",
        "% ### ###",
        "%.###.###",
    ),
    *("###-##-####", "###-###-####", "0####-######", "%.%#.%#.%##", "+########"),
)
SIZES: Final = (3, 10, 100)


def of_look_alikes() -> bool:
    """How many columns that are nothing are taken for something; true where none but the last five is."""
    import polars as pl  # noqa: PLC0415
    from faker import Faker  # noqa: PLC0415 - only here

    from sovereignmesh.classification import classify_columns  # noqa: PLC0415

    fake, alarms, count = Faker("en_US"), dict[str, int](), 0
    fake.seed_instance(SEED)
    for size in SIZES * 10:
        data = {
            str(look): [str(look + at) if isinstance(look, int) else fake.bothify(look).upper() for at in range(size)]
            for look in LOOK_ALIKES
        }
        for column in classify_columns(pl.DataFrame(data)).columns:
            count += 1
            for one in column.detections:
                key = f"{column.name}: {one.classification}, {one.confidence}"
                alarms[key] = alarms.get(key, 0) + 1
    known = {str(look) for look in LOOK_ALIKES[-5:]}
    unexpected = {key for key in alarms if key.partition(":")[0] not in known}
    total = sum(alarms.values())
    print(f"Look-alikes: {total} detections in {count} columns of nothing, {len(unexpected)} kinds unexpected")
    for key, times in sorted(alarms.items(), key=lambda item: -item[1]):
        print(f"  {times} times  {key}{'  UNEXPECTED' if key in unexpected else ''}")
    return not unexpected


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        tallies = [
            of_faker(locales, words, natural=natural)
            for locales, words in ((PER_LOCALE, f"{len(PER_LOCALE)} locales"), (OTHERS, f"{len(OTHERS)} others"))
            for natural in (False, True)
        ]
        tallies += of_presidio(folder)
        held = [tally.show() for tally in tallies] + [of_look_alikes()]
    return 0 if all(held) else 3


if __name__ == "__main__":
    sys.exit(main())
