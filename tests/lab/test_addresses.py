"""Subnets and numbers out of pools, by example."""

from ipaddress import IPv4Network

import pytest

from lab.addresses import (
    DOCKER_DEFAULT_POOLS,
    Claim,
    FreeSpace,
    assign_numbers,
    capacity,
    gateway_of,
    host_numbers,
    overlaps,
    prefix_for,
)

POOL = IPv4Network("10.128.0.0/24")


@pytest.mark.parametrize(("prefix", "containers"), [(28, 13), (29, 5), (30, 1), (31, 0), (32, 0)])
def test_capacity_is_what_docker_gives_out(prefix: int, containers: int) -> None:
    """A Docker network holds all its addresses but network, gateway and broadcast: five in a /29."""
    assert capacity(IPv4Network(("10.128.0.0", prefix))) == containers


@pytest.mark.parametrize(
    ("members", "prefix"), [(0, 28), (1, 28), (6, 28), (7, 27), (14, 27), (15, 26), (100, 24)]
)
def test_a_new_network_has_room_for_twice_the_need(members: int, prefix: int) -> None:
    """A network is at least a /28 and holds twice what it must hold today."""
    assert prefix_for(members) == prefix


def test_containers_begin_after_the_gateway() -> None:
    """The first address is the bridge's own and the last is the broadcast; containers have what is between."""
    network = IPv4Network("10.128.0.0/29")
    assert str(gateway_of(network)) == "10.128.0.1"
    assert list(host_numbers(network)) == [int(network[n]) for n in range(2, 7)]


def test_the_lowest_free_subnet_is_taken() -> None:
    """A gap that fits is used before space behind it, and one that is too small is left."""
    space = FreeSpace(POOL, [IPv4Network("10.128.0.0/29"), IPv4Network("10.128.0.16/28")])
    assert str(space.take(28)) == "10.128.0.32/28"
    assert str(space.take(29)) == "10.128.0.8/29"


def test_a_full_pool_gives_nothing() -> None:
    """Where no subnet of the size is left, none is given."""
    space = FreeSpace(POOL)
    assert space.take(24) == POOL
    assert space.take(32) is None


def test_a_recorded_number_stays_and_is_nobody_elses() -> None:
    """A key keeps its record; a record without a key keeps its number out of use."""
    assert assign_numbers(["b", "a", "c"], {"b": 0, "gone": 1}, range(9)) == {"a": 2, "b": 0, "c": 3}


def test_a_key_without_a_number_is_missing() -> None:
    """Where numbers run out, the last keys by name are missing from the answer."""
    assert assign_numbers(["a", "b"], {}, range(1)) == {"a": 0}


def test_both_owners_of_an_overlap_are_told() -> None:
    """An overlap is a pair of claims, the wider one first."""
    wide, narrow = Claim(IPv4Network("10.0.0.0/8"), "wide"), Claim(IPv4Network("10.9.0.0/16"), "narrow")
    apart = Claim(IPv4Network("172.16.0.0/16"), "apart")
    assert list(overlaps([narrow, apart, wide])) == [(wide, narrow)]


def test_dockers_default_pools_are_moby_s() -> None:
    """Docker gives out 172.17 to 172.31 as /16 and then 192.168.0.0/16, and nothing of 172.16."""
    assert len(DOCKER_DEFAULT_POOLS) == 16
    assert IPv4Network("172.16.0.0/16") not in DOCKER_DEFAULT_POOLS
    assert {str(pool) for pool in DOCKER_DEFAULT_POOLS} >= {
        "172.17.0.0/16",
        "172.31.0.0/16",
        "192.168.0.0/16",
    }
