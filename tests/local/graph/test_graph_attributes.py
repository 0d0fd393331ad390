"""Attributes of users beside employeeId: when they come, and whose changes are told."""

import pytest

from tests.local.graph.tenant import ANNA, BEN, Tenant
from tests.local.graph.test_graph_directory import HEADER, latest

MORE = "id,employeeId,accountEnabled,userType,userPrincipalName,mail,extensionAttribute3\n"


def test_other_attributes_come_only_when_selected(tenant: Tenant) -> None:
    """Of an extension all fifteen come together, as one object; whoever wants one gets them all."""
    tenant.load(MORE + f"{ANNA},1001,true,Member,anna@x.example,a.nna@x.example,E-7\n{BEN},2,true,Member,,,\n")

    (few,) = tenant.pages("/users?$select=employeeId")
    (page,) = tenant.pages("/users?$select=userPrincipalName,mail,onPremisesExtensionAttributes")

    anna, ben = page["value"]
    extension = anna.pop("onPremisesExtensionAttributes")
    assert anna == {"id": ANNA, "userPrincipalName": "anna@x.example", "mail": "a.nna@x.example"}
    assert (len(extension), extension["extensionAttribute3"], extension["extensionAttribute1"]) == (15, "E-7", None)
    assert (ben["mail"], set(ben["onPremisesExtensionAttributes"].values())) == (None, {None})
    assert "@tenant.example" in ben["userPrincipalName"]
    assert [set(user) for user in few["value"]] == [{"id", "employeeId"}] * 2
    nested = tenant.client.get("/users?$select=onPremisesExtensionAttributes/extensionAttribute3")
    assert nested.status_code == 400


@pytest.mark.parametrize(
    ("select", "changed"),
    [("userPrincipalName", True), ("mail", False), ("onPremisesExtensionAttributes", False), ("employeeId", False)],
)
def test_changes_are_told_of_the_main_store_alone(tenant: Tenant, select: str, *, changed: bool) -> None:
    """Nobody says that mail and extensions are there, so that nobody may build on it."""
    tenant.load(MORE + f"{ANNA},1001,true,Member,anna@x.example,a@x.example,E-7\n{BEN},2,true,Member,b,b,b\n")
    link = latest(tenant, f"$select={select}")
    tenant.load(MORE + f"{ANNA},1001,true,Member,new@x.example,new@x.example,E-8\n{BEN},2,true,Member,b,b,b\n")

    (page,) = tenant.pages(link)

    assert [user["id"] for user in page["value"]] == ([ANNA] if changed else [])


def test_a_file_without_other_attributes_takes_them_away(tenant: Tenant) -> None:
    tenant.load(MORE + f"{ANNA},1001,true,Member,anna@x.example,a@x.example,E-7\n")
    link = latest(tenant, "$select=userPrincipalName")
    tenant.load(HEADER + f"{ANNA},1001,true,Member,true\n")

    (page,) = tenant.pages(link)
    (users,) = tenant.pages("/users?$select=mail")

    assert [user["userPrincipalName"] for user in page["value"]] == [f"user-{ANNA}@tenant.example"]
    assert [user["mail"] for user in users["value"]] == [None]
