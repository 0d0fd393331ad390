"""Who takes part in a statement: agents and groups (xAPI 1.0.3, part two, 2.4.2 and 2.4.9; the same in 2.0)."""

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, Field, Tag

from shared.domain.xapi.values import SHA1, Account, Exactly, Iri, Mailto, broken, by_object_type

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_OAUTH_PAIR = 2


class AgentShape(Exactly):
    """A person or a system, before the rule on identifiers."""

    objectType: NotRequired[Literal["Agent"]]
    name: NotRequired[str]
    mbox: NotRequired[Mailto]
    mbox_sha1sum: NotRequired[Annotated[str, Field(pattern=SHA1)]]
    openid: NotRequired[Iri]
    account: NotRequired[Account]


def _one_identifier(agent: AgentShape) -> AgentShape:
    if sum(name in agent for name in IDENTIFIERS) != 1:
        raise broken("must have exactly one of mbox, mbox_sha1sum, openid and account.")
    return agent


Agent = Annotated[AgentShape, AfterValidator(_one_identifier)]


class GroupShape(Exactly):
    """Several agents, before the rule on identifiers."""

    objectType: Literal["Group"]
    name: NotRequired[str]
    member: NotRequired[list[Agent]]
    mbox: NotRequired[Mailto]
    mbox_sha1sum: NotRequired[Annotated[str, Field(pattern=SHA1)]]
    openid: NotRequired[Iri]
    account: NotRequired[Account]


def _named_or_listed(group: GroupShape) -> GroupShape:
    identifiers = sum(name in group for name in IDENTIFIERS)
    if identifiers > 1:
        raise broken("must have at most one of mbox, mbox_sha1sum, openid and account.")
    if not identifiers and "member" not in group:
        raise broken("must list its members, for it has no identifier.", "member")
    return group


def _oauth_pair(group: GroupShape) -> GroupShape:
    if any(name in group for name in IDENTIFIERS):
        raise broken("must be an agent, or a group without an identifier of its own.")
    members = group["member"]
    if len(members) != _OAUTH_PAIR or not any("account" in each for each in members):
        raise broken("must list two agents: the application, by its account, and the user.", "member")
    return group


Group = Annotated[GroupShape, AfterValidator(_named_or_listed)]
Actor = Annotated[
    Annotated[Agent, Tag("#Agent")] | Annotated[Group, Tag("#Group")], by_object_type("Agent", "Agent", "Group")
]
Authority = Annotated[
    Annotated[Agent, Tag("#Agent")] | Annotated[Group, AfterValidator(_oauth_pair), Tag("#Group")],
    by_object_type("Agent", "Agent", "Group"),
]
