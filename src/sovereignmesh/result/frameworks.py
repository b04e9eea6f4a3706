"""The controls of laws, standards and benchmarks that the checks give evidence for.

A row stands here only where the control's own words ask for what the check looks at; `because` says how. A check that
passes is evidence for a part of the control, never the whole of it. What a framework says nothing of has no row: NIS2
has no rule on the place of data, the Microsoft cloud security benchmark none on regions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sovereignmesh.result.checks import Check

__all__ = ["CONTROLS", "FRAMEWORKS", "Control", "Framework"]


@dataclass(frozen=True, slots=True)
class Framework:
    """A law, a standard or a benchmark: the name that people use, its full title with the version, and its text."""

    name: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control and the checks that are evidence for it, each with the reason."""

    framework: Framework
    id: str
    title: str
    checks: dict[Check, str]

    @property
    def name(self) -> str:
        """How people cite it: `NIS2 Art. 21(2)(h)`."""
        return f"{self.framework.name} {self.id}"


_GDPR: Final = Framework("GDPR", "Regulation (EU) 2016/679", "https://eur-lex.europa.eu/eli/reg/2016/679/oj")
_NIS2: Final = Framework("NIS2", "Directive (EU) 2022/2555", "https://eur-lex.europa.eu/eli/dir/2022/2555/oj")
_DORA: Final = Framework("DORA", "Regulation (EU) 2022/2554", "https://eur-lex.europa.eu/eli/reg/2022/2554/oj")
_RTS: Final = Framework(
    "DORA RTS",
    "Commission Delegated Regulation (EU) 2024/1774 on ICT risk management",
    "https://eur-lex.europa.eu/eli/reg_del/2024/1774/oj",
)
_ISO: Final = Framework("ISO 27001", "ISO/IEC 27001:2022, Annex A", "https://www.iso.org/standard/27001")
_C5: Final = Framework(
    "C5",
    "BSI Cloud Computing Compliance Criteria Catalogue, C5:2020",
    "https://www.bsi.bund.de/SharedDocs/Downloads/EN/BSI/CloudComputing/ComplianceControlsCatalogue/2020/C5_2020.pdf",
)
_MCSB: Final = Framework(
    "MCSB",
    "Microsoft cloud security benchmark v1",
    "https://learn.microsoft.com/security/benchmark/azure/overview",
)
FRAMEWORKS: Final = (_GDPR, _NIS2, _DORA, _RTS, _ISO, _C5, _MCSB)

_NETWORK: Final[dict[Check, str]] = {
    "public-access": "Shows what can be reached from public networks.",
    "private-endpoint": "Shows whether a private way to the data is there.",
}
CONTROLS: Final = (
    Control(
        _GDPR,
        "Art. 30",
        "Records of processing activities",
        {
            "asset-classification": "The records name the categories of personal data; shows what nobody declared.",
            "asset-owner": "The records are kept by who answers for the data; shows who does.",
            "asset-description": "The records describe what is processed; shows whether the catalog does.",
        },
    ),
    Control(
        _GDPR,
        "Art. 32",
        "Security of processing",
        {
            "customer-managed-key": "Paragraph 1(a) names encryption; shows who holds the key.",
            "public-access": "Paragraph 1(b) asks for confidentiality; shows what public networks can reach.",
            "private-endpoint": "Paragraph 1(b) asks for confidentiality; shows whether traffic stays private.",
        },
    ),
    Control(
        _GDPR,
        "Art. 44",
        "General principle for transfers",
        {
            "region": "Data in a third country has been transferred there.",
            "replica-region": "A replica in a third country is a transfer.",
            "backup-region": "A backup in a third country is a transfer.",
            "processing-region": "Processing in a third country is a transfer.",
            "log-region": "Logs with personal data in a third country are a transfer.",
        },
    ),
    Control(
        _NIS2,
        "Art. 21(2)(c)",
        "Business continuity, such as backup management and disaster recovery, and crisis management",
        {
            "backup-region": "Shows where backups are kept.",
            "replica-region": "Shows where the copies for recovery are kept.",
        },
    ),
    Control(
        _NIS2,
        "Art. 21(2)(e)",
        "Security in network and information systems acquisition, development and maintenance",
        _NETWORK,
    ),
    Control(
        _NIS2,
        "Art. 21(2)(h)",
        "Policies and procedures regarding the use of cryptography and, where appropriate, encryption",
        {
            "customer-managed-key": "Shows whether the policy on keys is kept.",
            "key-residency": "Shows where keys are held, and their state.",
        },
    ),
    Control(
        _NIS2,
        "Art. 21(2)(i)",
        "Human resources security, access control policies and asset management",
        {"required-tags": "Shows whether every asset names its owner and class."},
    ),
    Control(
        _DORA,
        "Art. 8",
        "Identification",
        {
            "required-tags": "Information assets are to be identified and classified; shows whether their tags say it.",
            "sensitivity-label": "Information assets are to be classified; shows whether data bears its class.",
            "asset-owner": "Roles and responsibilities for information assets are to be documented; shows the owners.",
            "asset-description": "Information assets are to be documented; shows whether they are described.",
        },
    ),
    Control(
        _DORA,
        "Art. 9",
        "Protection and prevention",
        {"customer-managed-key": "Data at rest is to be protected; shows who holds the key.", **_NETWORK},
    ),
    Control(
        _DORA,
        "Art. 12",
        "Backup policies and procedures, restoration and recovery procedures and methods",
        {"backup-region": "Shows where backups are kept."},
    ),
    Control(
        _DORA,
        "Art. 30(2)(b)",
        "Key contractual provisions: the locations of services, processing and storage",
        {
            "region": "Shows whether data is stored where the contract may say.",
            "replica-region": "A replica is a storage location.",
            "backup-region": "A backup is a storage location.",
            "processing-region": "Shows where data is processed.",
            "log-region": "Logs are stored data too.",
        },
    ),
    Control(
        _RTS,
        "Art. 4",
        "ICT asset management policy",
        {
            "region": "The records of assets name their location; shows it.",
            "required-tags": "The records of assets name their owner and class; shows whether tags say it.",
        },
    ),
    Control(
        _RTS,
        "Art. 6",
        "Encryption and cryptographic controls",
        {"customer-managed-key": "Encryption of data at rest; shows who holds the key."},
    ),
    Control(
        _RTS,
        "Art. 7",
        "Cryptographic key management",
        {
            "customer-managed-key": "Keys are managed through their whole life; only one's own can be.",
            "key-residency": "Shows where keys are held, and whether they are enabled, expired or pinned.",
        },
    ),
    Control(_RTS, "Art. 13", "Network security management", _NETWORK),
    Control(
        _ISO,
        "A.5.9",
        "Inventory of information and other associated assets",
        {
            "required-tags": "The inventory names owners; shows whether the assets do.",
            "asset-owner": "The inventory names owners; shows whether the catalog's assets do.",
            "asset-description": "The inventory says what an asset is; shows whether the catalog does.",
        },
    ),
    Control(
        _ISO,
        "A.5.13",
        "Labelling of information",
        {
            "required-tags": "Tags are the labels of cloud resources.",
            "sensitivity-label": "Sensitivity labels are the labels of data.",
        },
    ),
    Control(
        _ISO,
        "A.5.23",
        "Information security for use of cloud services",
        {
            "region": "Shows in which places of the cloud data is kept.",
            "processing-region": "Shows in which places of the cloud data is processed.",
        },
    ),
    Control(
        _ISO,
        "A.5.31",
        "Legal, statutory, regulatory and contractual requirements",
        {
            "region": "The area and the allowed regions are such requirements.",
            "replica-region": "They bind replicas.",
            "backup-region": "They bind backups.",
            "processing-region": "They bind processing.",
            "log-region": "They bind logs.",
            "key-residency": "They bind keys.",
        },
    ),
    Control(
        _ISO,
        "A.8.13",
        "Information backup",
        {"backup-region": "Shows where backups are kept."},
    ),
    Control(
        _ISO,
        "A.8.14",
        "Redundancy of information processing facilities",
        {"replica-region": "Shows where the redundant copies are."},
    ),
    Control(_ISO, "A.8.15", "Logging", {"log-region": "Shows where logs are stored."}),
    Control(_ISO, "A.8.20", "Networks security", _NETWORK),
    Control(
        _ISO,
        "A.8.24",
        "Use of cryptography",
        {
            "customer-managed-key": "Shows whether the rules for keys are kept.",
            "key-residency": "Shows where keys are held, and their state.",
        },
    ),
    Control(
        _C5,
        "AM-06",
        "Asset Classification and Labelling",
        {
            "required-tags": "Shows whether assets are labelled.",
            "sensitivity-label": "Shows whether data is labelled.",
        },
    ),
    Control(_C5, "COS-04", "Cross-network access", _NETWORK),
    Control(
        _C5,
        "CRY-03",
        "Encryption of sensitive data for storage",
        {"customer-managed-key": "The keys are to be the customer's; shows whether they are."},
    ),
    Control(
        _C5,
        "CRY-04",
        "Secure key management",
        {"key-residency": "Shows where keys are held, and their state."},
    ),
    Control(
        _C5,
        "OPS-09",
        "Data Backup and Recovery - Storage",
        {"backup-region": "Backups go to a remote location; shows to which."},
    ),
    Control(
        _C5,
        "OPS-14",
        "Logging and Monitoring - Storage of the Logging Data",
        {"log-region": "Shows where logs are stored."},
    ),
    Control(
        _C5,
        "PSS-12",
        "Locations of Data Processing and Storage",
        {
            "region": "The customer chooses the location; shows what was chosen.",
            "replica-region": "Shows the location of replicas.",
            "backup-region": "The criterion names backups; shows their location.",
            "processing-region": "Shows the location of processing.",
        },
    ),
    Control(
        _MCSB,
        "AM-1",
        "Track asset inventory and their risks",
        {"required-tags": "Assets are organised by tags; shows whether the tags are there."},
    ),
    Control(
        _MCSB,
        "DP-5",
        "Use customer-managed key option in data at rest encryption when required",
        {"customer-managed-key": "The same question, and the same built-ins of Azure Policy."},
    ),
    Control(
        _MCSB,
        "DP-6",
        "Use a secure key management process",
        {"key-residency": "Shows whether keys follow their rotation, are enabled and have not expired."},
    ),
    Control(
        _MCSB,
        "DP-8",
        "Ensure security of key and certificate repository",
        {"key-residency": "Shows where the vault is, and whether its keys can be purged."},
    ),
    Control(
        _MCSB,
        "LT-5",
        "Centralize security log management and analysis",
        {"log-region": "Asks for a storage location for each source of logs; shows which it is."},
    ),
    Control(
        _MCSB,
        "NS-2",
        "Secure cloud services with network controls",
        {
            "public-access": "The same question, and the same built-ins of Azure Policy.",
            "private-endpoint": "The same question, and the same built-ins of Azure Policy.",
        },
    ),
)
