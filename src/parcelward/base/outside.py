"""Addresses that strangers chose: whether a request of ours may go there, asked of each address a name leads to.

A name is looked up once, and the connection goes to the very address that was looked at: a name that leads elsewhere a
moment later (DNS rebinding) changes nothing. Only addresses that anybody on the internet could ask are asked.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

import httpx

URL_LENGTH_MAX: Final = 500
ADDRESSES_MAX: Final = 4  # of one name: as many are tried
_HTTPS_PORT: Final = 443
_PORT_MIN: Final = 1024  # below it, services live that are no web servers
_PORT_MAX: Final = 65_535
_NEVER: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.88.99.0/24",  # 6to4 relays: what is behind them is anything
        "168.63.129.16/32",  # a cloud's own service for the machines in it, at a public address
        "fec0::/10",  # site-local, of an older time
    )
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """A request of ours does not go there; the words say why."""


def parsed(url: str, *, this_machine: bool) -> httpx.URL:
    """Return an address that a stranger typed, read as it will be asked. Raises Forbidden.

    `this_machine` is said in test mode alone: http and this machine's own addresses are let through then.
    """
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Forbidden("An address has at most 500 characters, letters of ASCII alone, and no spaces")
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise Forbidden("This is no web address") from None
    if found.scheme != "https" and not (this_machine and found.scheme == "http"):
        raise Forbidden("An address begins with https://")
    if not found.host:
        raise Forbidden("This address names no server")
    if found.userinfo or found.fragment:
        raise Forbidden("An address has no name and password in it, and nothing behind #")
    port = found.port or _HTTPS_PORT
    if port > _PORT_MAX or (port != _HTTPS_PORT and port < _PORT_MIN and not this_machine):
        raise Forbidden("The port of an address is 443, or 1024 and above")
    if _in_numbers(found.host) and not may_ask(found.host, this_machine=this_machine):
        raise Forbidden("This address is not on the public internet")
    return found


def _in_numbers(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def addresses(host: str, port: int, *, this_machine: bool) -> list[str]:
    """Return the addresses that a name leads to, in the order to try them. Raises Forbidden, OSError.

    One that may not be asked forbids all: who gives one of those beside a good one means no good.
    """
    found = list(dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    for each in found:
        if not may_ask(each, this_machine=this_machine):
            raise Forbidden("This name leads to an address that is not on the public internet")
    return found[:ADDRESSES_MAX]


def may_ask(address: str, *, this_machine: bool) -> bool:
    """Return whether an IP address is one that anybody on the internet could ask."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # with a scope, such as fe80::1%eth0
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _inside(ip)
        if inner is not None:
            return may_ask(str(inner), this_machine=this_machine)
    if ip.is_loopback:
        return this_machine
    if any(ip in each for each in _NEVER if each.version == ip.version):
        return False
    odd = ip.is_multicast or ip.is_private or ip.is_reserved or ip.is_link_local or ip.is_unspecified
    return ip.is_global and not odd


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for; None where it stands for itself."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None
