"""Takes bodies apart."""

import copy


def deletions(body, at=()):
    """Paths of every property in the body. An item of a list is no fact of its own: without it the list says less."""
    for key, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        if isinstance(key, str):
            yield (*at, key)
        yield from deletions(value, (*at, key))


def without(body, path):
    changed = copy.deepcopy(body)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed
