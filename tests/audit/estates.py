"""What tests of audits say of the sample estate."""

from sovereignmesh.sandbox import FAULTS, find_fault

# Faults that can strike an audit of subscriptions: the others are of Purview's calls.
STRIKING = [name for name in FAULTS if find_fault(name).journey not in {"purview", "search", "entities"}]
DEVELOPMENT = tuple("-".join(digit * length for length in (8, 4, 4, 4, 12)) for digit in "246")


def subscription_of(resource_id):
    """The subscription that an id is in, in lower case."""
    return resource_id.split("/")[2].lower()
