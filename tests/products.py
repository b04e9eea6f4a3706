"""Data products of every shape: what a mesh may say, with names and values that readers stumble over."""

from hypothesis import strategies as st

from sovereignmesh.mesh import DataProduct

WORDS = ["orders", "no", "5e1234", "1.0", "a: b", "#x", "it's", 'say "so"', "größe", "a/b/c", "null", "~", "x,y", "t.c"]
names = st.sampled_from(WORDS) | st.text(min_size=1, max_size=5).filter(
    lambda text: text.isprintable() and text == text.strip()
)
texts = names | st.text(min_size=1, max_size=8).filter(lambda text: text.strip())
numbers = st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9, allow_nan=False)
scalars = names | numbers | st.booleans()
percents = st.floats(0, 100, allow_nan=False) | st.integers(0, 100)
PATTERNS = [
    "[A-Z]{2}[0-9]+", r"\d+", "a|b", "(?i)eur", r"\Ax\z", "^a$", r"\p{L}+", "[]a]", "{,3}", "(?:a)|(?:b)", r"\.", "é+",
    "(a)(b)", r"[\d\-_]", r"\a", r"[^\\]", "a{2,}", ".*", r"\s", "$", "^", "(?s:.)", "",
]  # fmt: skip
RULES = [
    "a > 0", "0 <= a < b", "a in ('x', \"it's\", 3)", "a is None or not (b == True and c != -1.5)", "a not in (1, 2)",
    "field('odd \" name') is not None", "a <= 'z'", "a == 1e999",
]  # fmt: skip
severities = st.sampled_from(["high", "medium", "low", None])
kinds = st.sampled_from(
    ["string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean", None]
)
freshness = st.sampled_from(["< 1 hour", "PT15M", "daily", "2 hours", "1 day", "90 min", "1.5 s", "0.3 h", "1 month"])
classifications = st.sampled_from(["PII.HighRisk", "PII.Contact", "MICROSOFT.PERSONAL.NAME"])


def given(**values):
    """A document's mapping, without what is None."""
    return st.fixed_dictionaries(values).map(
        lambda found: {key: value for key, value in found.items() if value is not None}
    )


def perhaps(strategy):
    return strategy | st.none()


def some(strategy, least=0, **options):
    """A list whose size is drawn first: a long one is as likely as a short one, also late in a large document."""
    return st.integers(least, 4).flatmap(lambda size: st.lists(strategy, min_size=size, max_size=size, **options))


@st.composite
def bounds(draw):
    low, high = sorted(draw(st.tuples(numbers, numbers) | st.tuples(names, names)))
    return {"minimum": low if draw(st.booleans()) else None, "maximum": high if draw(st.booleans()) else None}


@st.composite
def fields(draw, name):
    found = {
        "name": name, "type": draw(kinds), "description": draw(perhaps(texts)), "required": draw(st.booleans()),
        "unique": draw(st.booleans()), "pattern": draw(perhaps(st.sampled_from(PATTERNS))),
        "allowedValues": draw(perhaps(some(scalars, 1))), "severity": draw(severities),
        **draw(bounds()),
    }  # fmt: skip
    plain = draw(st.booleans())
    return {key: value for key, value in found.items() if value is not None and (not plain or key == "name")}


@st.composite
def schemas(draw, known):
    described = draw(some(names | st.sampled_from(known), unique_by=str.casefold))
    rules = [
        {"name": name, "rule": draw(st.sampled_from(RULES)), "description": draw(texts), "severity": draw(severities)}
        for name in draw(some(names, unique_by=str.casefold))
    ]
    counts = sorted(draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
    count = {key: value for key, value in zip(("minimum", "maximum"), counts, strict=True) if draw(st.booleans())}
    found = {
        "fields": [draw(fields(name)) for name in described],
        "primaryKey": draw(st.lists(st.sampled_from([*described, *known, "elsewhere"]), max_size=3)),
        "rowCount": draw(perhaps(st.just(count))),
        "validityRules": [{key: value for key, value in rule.items() if value is not None} for rule in rules],
        "timestampColumn": draw(perhaps(st.sampled_from(known))),
    }
    return {key: value for key, value in found.items() if value}


metrics = given(completeness=perhaps(percents), accuracy=perhaps(percents), timeliness=perhaps(percents))
interfaces = given(
    type=st.sampled_from(["API", "api", "SQL", "Files", "sqlserver", "custom"]),
    endpoint=st.sampled_from(["https://x.contoso.eu/v1", "host/database/dbo", "sales.database.windows.net"]) | names,
    authentication=perhaps(names),
    scopes=st.lists(names, max_size=3),
    accessLevel=perhaps(names),
    rateLimit=perhaps(st.integers(1, 10**6)),
)
residencies = given(
    region=perhaps(st.sampled_from(["EU", "EUDB", "Germany"])),
    storageLocations=perhaps(st.just(["westeurope", "northeurope"])),
    replicaLocations=perhaps(st.just(["North Europe"])),
    piiHandling=perhaps(st.sampled_from(["Encrypted-CMK", "None"])),
)


levels = given(availability=perhaps(percents), latency=perhaps(names), freshness=perhaps(freshness))


def contracts(known):
    return given(
        consumer=st.sampled_from(["Sales", "Sales Domain", "Finance", "no"]),
        purpose=texts,
        fields=some(st.sampled_from(known), 1),
        excludedFields=st.lists(names, max_size=3),
        excludeSimilar=st.booleans(),
        optionalFields=st.lists(st.sampled_from(known), max_size=2),
        excludedClassifications=st.lists(classifications, max_size=2),
        allowedClassifications=perhaps(st.lists(classifications, max_size=2)),
        qualityMetrics=perhaps(metrics),
    )


@st.composite
def products(draw, least=1):
    known = draw(some(names, 1))
    schema = draw(perhaps(schemas(known)))
    found = {
        "name": draw(names), "domain": draw(names), "owner": draw(names | st.just("team@contoso.com")),
        "description": draw(perhaps(texts)), "dataResidency": draw(perhaps(residencies)),
        "interfaces": draw(st.lists(interfaces, max_size=3)), "sources": draw(st.lists(names, max_size=2)),
"sla": draw(perhaps(levels)),
        "qualityMetrics": draw(perhaps(metrics)), "schema": schema,
        "dataContracts": draw(st.lists(contracts(known), min_size=least, max_size=3)),
    }  # fmt: skip
    return DataProduct.model_validate({key: value for key, value in found.items() if value is not None})


# A product that says everything that there is to say.
EVERYTHING = {
    "name": "Everything", "domain": "Sales", "owner": "team@contoso.com", "description": "All that a product may say.",
    "dataResidency": {
        "region": "EU", "storageLocations": ["westeurope"], "replicaLocations": ["northeurope"],
        "piiHandling": "Masked",
    },
    "interfaces": [
        {"type": "API", "endpoint": "https://sales.contoso.eu/v1", "authentication": "OAuth2",
         "scopes": ["sales.read"], "rateLimit": 1000},
        {"type": "SQL", "endpoint": "sales.contoso.eu/sales/dbo", "accessLevel": "Read-Only"},
        {"type": "SQL", "endpoint": "sales.contoso.eu"},
        {"type": "Files", "endpoint": "abfss://sales@contoso.dfs.core.windows.net/orders"},
    ],
    "sources": ["sales-lake"],
    "sla": {"availability": 99.9, "latency": "< 200 ms", "freshness": "< 1 hour"},
    "qualityMetrics": {"completeness": 98, "accuracy": 99.5, "timeliness": 95},
    "schema": {
        "fields": [
            {"name": "internalNote", "type": "string", "description": "Nobody gets it."},
            {"name": "orderId", "type": "string", "required": True, "unique": True, "pattern": "[A-Z]{2}[0-9]{6}"},
            {"name": "status", "type": "string", "allowedValues": ["open", "held"], "severity": "high"},
            {"name": "orderedAt", "type": "timestamp", "minimum": "2020-01-01"},
            {"name": "amount", "type": "number", "minimum": 0, "maximum": 1e6, "description": "In euros."},
            {"name": "code", "pattern": "(?i)eur[0-9]+", "minimum": "a"},
            {"name": "nothing"},
        ],
        "primaryKey": ["orderId"],
        "rowCount": {"minimum": 1, "maximum": 1000},
        "validityRules": [
            {"name": "paid", "rule": "amount > 0 or status == 'open'", "description": "No gifts.", "severity": "low"},
        ],
        "timestampColumn": "orderedAt",
    },
    "dataContracts": [
        {"consumer": "Marketing Domain", "purpose": "Campaigns",
         "fields": ["orderId", "status", "orderedAt", "amount", "code", "nothing", "undescribed"],
         "excludedFields": ["email"], "excludeSimilar": True, "optionalFields": ["nothing"],
         "excludedClassifications": ["PII.Contact"],
         "allowedClassifications": ["PII.HighRisk"], "qualityMetrics": {"completeness": 99}},
        {"consumer": "Finance", "purpose": "Reports", "fields": ["amount"], "allowedClassifications": []},
    ],
}  # fmt: skip
