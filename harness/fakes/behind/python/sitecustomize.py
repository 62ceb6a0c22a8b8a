"""Preloaded into Python by `harness behind`: TLS to the hosts named in HARNESS_BEHIND_HOSTS ends at the fake.

There it is in the clear. Few places are changed, each as soon as it is imported, since all clients meet in
them: names are looked up in `socket` (or by uvloop or aiodns), and TLS is put on in `ssl`. This file needs
nothing but Python 3.8.
"""

import _thread
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTS = frozenset(name for name in os.environ.get("HARNESS_BEHIND_HOSTS", "").split(",") if name)
FAKE = os.environ.get("HARNESS_BEHIND", "").rpartition("//")[2]
FAKE_HOST, _, FAKE_PORT = FAKE.rpartition(":")
FAKE_HOST = FAKE_HOST.strip("[]")
SEEN = os.environ.get("HARNESS_BEHIND_SEEN", "")
# What the hosts' names are looked up as: an address of loopback at which nobody listens, so that whatever
# slips past `connect` below reaches nobody, and never OpenAI.
PLACE_HOLDER = "127.83.69.1"


def _tell(file, what=""):
    if not SEEN:
        return
    try:
        with open(os.path.join(SEEN, file), "a") as told:
            told.write(f"{what or os.getpid()} python {sys.version.split()[0]}\n")
    except OSError:
        pass  # `harness behind` is over, and this process is not


# Connections to the fake on which a client is about to put TLS. Where there is none, TLS to the host is asked
# for on a connection that somebody else made, through a proxy, and OpenAI is at its other end.
_waiting = []


def _led_here():
    _waiting.append(True)
    _tell("connected")


def _is_led_here(ssl):
    if not _waiting:
        raise ssl.SSLError("harness behind: this connection goes through a proxy, past the fake")
    _waiting.pop()


def _is_ours(name):
    if isinstance(name, (bytes, bytearray)):
        name = bytes(name).decode("ascii", "replace")
    return isinstance(name, str) and name.lower().rstrip(".") in HOSTS


def _change_socket(socket):
    look_up = socket.getaddrinfo
    plain = socket.socket
    connect, connect_ex = plain.connect, plain.connect_ex

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002  (as it is called there)
        if not _is_ours(host):
            return look_up(host, port, family, type, proto, flags)
        kind = type or socket.SOCK_STREAM
        if isinstance(port, (str, bytes)):
            port = int(port) if port.isdigit() else 443
        return [(socket.AF_INET, kind, proto or socket.IPPROTO_TCP, "", (PLACE_HOLDER, port or 443))]

    def instead(own, address):
        """The socket and where to connect it; one of another family takes the place of this one."""
        if not (isinstance(address, tuple) and address and address[0] == PLACE_HOLDER):
            return address
        _led_here()
        if ":" in FAKE_HOST and own.family == socket.AF_INET:
            other = plain(socket.AF_INET6, own.type, own.proto)
            timeout = own.gettimeout()
            os.dup2(other.fileno(), own.fileno())
            other.close()
            own.settimeout(timeout)
        return (FAKE_HOST, int(FAKE_PORT))

    def change_connect(own, address):
        return connect(own, instead(own, address))

    def change_connect_ex(own, address):
        return connect_ex(own, instead(own, address))

    socket.getaddrinfo = getaddrinfo
    plain.connect, plain.connect_ex = change_connect, change_connect_ex


def _change_ssl(ssl):
    import socket

    wrap_socket, wrap_bio = ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio

    class Facts:
        """What clients ask of a TLS connection."""

        context = None
        session = None
        session_reused = False
        server_side = False
        server_hostname = None

        def getpeercert(self, binary_form=False):
            return b"" if binary_form else {}

        def cipher(self):
            return None

        def shared_ciphers(self):
            return None

        def compression(self):
            return None

        def version(self):
            return None

        def selected_alpn_protocol(self):
            return None

        def selected_npn_protocol(self):
            return None

        def get_channel_binding(self, cb_type="tls-unique"):  # noqa: ARG002  (as it is called there)
            return None

        def get_verified_chain(self):
            return []

        def get_unverified_chain(self):
            return []

        def do_handshake(self, block=False):  # noqa: ARG002  (as it is called there)
            return None

        def verify_client_post_handshake(self):
            return None

    class ClearSocket(Facts, socket.socket):
        """A socket without TLS in the place of one with it."""

        def pending(self):
            return 0

        def read(self, len=1024, buffer=None):  # noqa: A002  (as it is called there)
            return self.recv(len) if buffer is None else self.recv_into(buffer, len)

        def write(self, data):
            return self.send(data)

        def unwrap(self):
            return self

    class ClearObject(Facts):
        """What stands between two buffers, and changes nothing on the way."""

        def __init__(self, incoming, outgoing):
            self._incoming, self._outgoing = incoming, outgoing

        def pending(self):
            return self._incoming.pending

        def read(self, len=1024, buffer=None):  # noqa: A002  (as it is called there)
            if not self._incoming.pending and not self._incoming.eof:
                raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "nothing has come")
            data = self._incoming.read(len)
            if buffer is None:
                return data
            buffer[: data.__len__()] = data
            return data.__len__()

        def write(self, data):
            return self._outgoing.write(data)

        def unwrap(self):
            return None

    def change_wrap_socket(self, sock, *given, **named):
        name = named.get("server_hostname", given[3] if len(given) > 3 else None)
        if not _is_ours(name):
            return wrap_socket(self, sock, *given, **named)
        _is_led_here(ssl)
        timeout = sock.gettimeout()
        clear = ClearSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
        clear.settimeout(timeout)
        clear.context, clear.server_hostname = self, name
        return clear

    def change_wrap_bio(self, incoming, outgoing, *given, **named):
        name = named.get("server_hostname", given[1] if len(given) > 1 else None)
        if not _is_ours(name):
            return wrap_bio(self, incoming, outgoing, *given, **named)
        _is_led_here(ssl)
        clear = ClearObject(incoming, outgoing)
        clear.context, clear.server_hostname = self, name
        return clear

    ssl.SSLContext.wrap_socket = change_wrap_socket
    ssl.SSLContext.wrap_bio = change_wrap_bio


def _change_uvloop(uvloop):
    loop = uvloop.Loop
    create_connection, look_up = loop.create_connection, loop.getaddrinfo

    async def change_create_connection(self, protocol_factory, host=None, port=None, **named):
        if _is_ours(host) or host == PLACE_HOLDER:
            _led_here()
            if named.get("ssl") and not named.get("server_hostname"):
                named["server_hostname"] = host
            host, port = FAKE_HOST, int(FAKE_PORT)
        return await create_connection(self, protocol_factory, host, port, **named)

    async def change_getaddrinfo(self, host, port, *given, **named):
        if not _is_ours(host):
            return await look_up(self, host, port, *given, **named)
        import socket

        return socket.getaddrinfo(host, port)

    loop.create_connection, loop.getaddrinfo = change_create_connection, change_getaddrinfo


def _change_aiodns(aiodns):
    look_up = aiodns.DNSResolver.getaddrinfo

    def getaddrinfo(self, host, family=0, *given, **named):
        if _is_ours(host):
            host, family = PLACE_HOLDER, 2  # AF_INET; an address is looked up nowhere
        return look_up(self, host, family, *given, **named)

    aiodns.DNSResolver.getaddrinfo = getaddrinfo


def _is_past_us(module):
    """Names and encryption are its own (libcurl, Rust): nothing here can lead it elsewhere."""
    _tell("past", module.__name__)


CHANGES = {"socket": _change_socket, "ssl": _change_ssl, "uvloop": _change_uvloop, "aiodns": _change_aiodns}
CHANGES.update(dict.fromkeys(("pycurl", "curl_cffi", "primp", "rnet", "impit"), _is_past_us))


class _WhenImported(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets a module be found and run as ever, and changes it then; what is never imported costs nothing."""

    def __init__(self):
        self._looking = set()

    def find_spec(self, fullname, path=None, target=None):  # noqa: ARG002  (as it is called there)
        thread = _thread.get_ident()
        if fullname not in CHANGES or thread in self._looking:
            return None
        self._looking.add(thread)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._looking.discard(thread)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            CHANGES[fullname](module)

        spec.loader.exec_module = exec_module
        return spec


def _next_sitecustomize():
    """The one that would have been loaded without this one."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if HOSTS and FAKE_PORT:
    sys.meta_path.insert(0, _WhenImported())
    for _name, _change in CHANGES.items():
        if _name in sys.modules:
            _change(sys.modules[_name])
    _tell("loaded")
_next_sitecustomize()
