"""Settings: what is taken, what is refused and by which name, alone and together."""

import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gossamer.peers import ConfigError, PeerConfig, read_toml
from gossamer.peers.host import ADDRESS_LIMIT, SEED_LIMIT


def refused(**settings: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        PeerConfig(**{"name": "a", **settings})
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_defaults_need_nothing() -> None:
    """A peer starts without a single setting, on all interfaces, with no HTTP of its own."""
    config = PeerConfig()

    assert config.name
    assert (config.bind, config.join, config.http) == ("0.0.0.0:7940", (), None)
    assert config.gossip().cluster == "default"


def test_every_field_has_its_sentence() -> None:
    """The dataclass is the reference of settings, so no field stands without an explanation."""
    source = (Path(__file__).parents[3] / "peers" / "host" / "_config.py").read_text()
    for field in fields(PeerConfig):
        _, _, after = source.partition(f"\n    {field.name}: ")
        assert after.splitlines()[1].lstrip().startswith('"""'), field.name


@pytest.mark.parametrize("name", ["a", "n" * 128, "ärger", "orders-1.example"])
def test_names_that_are_taken(name: str) -> None:
    """Up to 128 printable characters of any script."""
    assert PeerConfig(name=name).name == name


@pytest.mark.parametrize("name", ["", "n" * 129, "a b", "a\nb", "a\x1b[31m", "\ud800", 7, None])
@pytest.mark.parametrize("field", ["name", "cluster"])
def test_names_that_are_refused(field: str, name: object) -> None:
    """Empty, too long, with spaces or control characters, or no text at all."""
    assert refused(**{field: name}).field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bind", "7940"),
        ("bind", "0.0.0.0"),
        ("bind", "0.0.0.0:"),
        ("bind", "0.0.0.0:x"),
        ("bind", "0.0.0.0:65536"),
        ("bind", "0.0.0.0:-1"),
        ("bind", "::1:7940"),
        ("bind", "[::1:7940"),
        ("bind", "[host]:7940"),
        ("bind", ":7940"),
        ("bind", None),
        ("http", "8761"),
        ("advertise", "10.0.0.1"),
        ("advertise", "0.0.0.0:7940"),
        ("advertise", "[::]:7940"),
        ("join", ["10.0.0.1"]),
        ("join", ["10.0.0.1:0"]),
        ("join", ["0.0.0.0:7940"]),
        ("join", "10.0.0.1:7940"),
        ("join", [7940]),
        ("join", 7940),
        ("join", [f"10.0.0.1:{port}" for port in range(1, SEED_LIMIT + 2)]),
        ("zone", ""),
        ("zone", "z" * 65),
        ("profile", "metro"),
        ("profile", None),
        ("data_dir", ""),
        ("data_dir", "a\0b"),
        ("data_dir", 7),
        ("protocol", "fast"),
        ("protocol", {"probe_intervall": 1.0}),
        ("dns", "127.0.0.1"),
        ("http", ["127.0.0.1:1", "8761"]),
        ("http", ["off", "127.0.0.1:1"]),
        ("http", [7]),
        ("http", 7),
        ("http", [f"127.0.0.1:{port}" for port in range(1, ADDRESS_LIMIT + 2)]),
        ("serve", "127.0.0.1:1"),
        ("key_file", ""),
        ("key_file", 7),
        ("key_file", "a\0b"),
    ],
)
def test_values_that_are_refused_by_name(field: str, value: object) -> None:
    """Each bad value is refused before anything is started, with the name of its field."""
    error = refused(**{field: value})
    assert error.field in (field, "probe_intervall")


def test_values_at_the_limits_are_taken() -> None:
    """Ports 0 and 65535, the longest zone, as many seeds and addresses as there may be."""
    http = [f"127.0.0.1:{port}" for port in range(1, ADDRESS_LIMIT + 1)]
    assert PeerConfig(name="a", http=http).fronts == {"http": tuple(http)}
    seeds = [f"10.0.0.1:{port}" for port in range(1, SEED_LIMIT + 1)]
    config = PeerConfig(
        name="a", bind="[::]:65535", advertise="host:0", zone="z" * 64, join=seeds, http="[::1]:0"
    )

    assert len(config.seeds) == SEED_LIMIT


def test_a_seed_that_is_given_twice_counts_once() -> None:
    """Lists that are put together from several sources repeat themselves."""
    assert PeerConfig(name="a", join=["b:1", "c:1", "b:1"]).join == ("b:1", "c:1")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"http": "127.0.0.1:7940", "bind": "0.0.0.0:7940"}, ["http", "bind"]),
        ({"http": "127.0.0.1:7940", "bind": "[::]:7940"}, ["http", "bind"]),
        ({"http": ["[::]:1", "[::1]:1"]}, ["http [::1]:1 and http [::]:1"]),
        ({"http": "a:1", "bind": "A:1"}, ["http", "bind"]),
        ({"http": ["a:1", "b:2"], "bind": "b:2"}, ["http b:2", "bind b:2"]),
        ({"http": ["a:1", "a:1"]}, ["http a:1 and http a:1"]),
        ({"http": ["0.0.0.0:1", "a:1"]}, ["http a:1 and http 0.0.0.0:1"]),
        ({"http": "[::1]:1", "serve": {"x": "[0:0::1]:1"}}, ["http", "x"]),
        ({"serve": {"x": "a:1", "y": ["b:1", "0.0.0.0:1"]}}, ["x a:1", "y 0.0.0.0:1"]),
    ],
)
def test_two_binds_of_one_port_are_refused_with_both_names(
    settings: dict[str, Any], names: list[str]
) -> None:
    """Gossip and fronts are compared in pairs; a wildcard stands for every address."""
    error = refused(**settings)
    for name in names:
        assert name in str(error)


def test_binds_that_do_not_meet_are_taken() -> None:
    """Port 0 twice is two ports, and two hosts have each their own."""
    PeerConfig(name="a", http=["127.0.0.1:0", "127.0.0.1:0"], bind="127.0.0.1:0")
    PeerConfig(name="a", http="127.0.0.1:7940", bind="10.0.0.1:7940")


@pytest.mark.parametrize("bind", ["0.0.0.0:7940", "127.0.0.1:7940"])
def test_a_front_may_have_one_port_for_each_family(bind: str) -> None:
    """A front's `::` takes IPv6 alone, so that both families can be served at one port."""
    PeerConfig(name="a", http=["0.0.0.0:1", "[::]:1"], bind=bind)
    PeerConfig(name="a", http="[::]:7940", bind=bind)


def test_bytes_are_no_address() -> None:
    """A value of another type is refused by name, and not by what it happens to lack."""
    assert refused(http=b"127.0.0.1:1").field == "http"


@pytest.mark.parametrize("off", ["off", ["off"], [], None])
def test_off_turns_http_off(off: Any) -> None:
    """The word of the command line works in a file and in code, too."""
    config = PeerConfig(name="a", http=off, serve={"http": off})
    assert config.http is None
    assert config.fronts == {}


def test_fronts_are_named_with_their_addresses() -> None:
    """`http` is short for one of them; it may be given either way, and only once."""
    config = PeerConfig(name="a", http="127.0.0.1:1", serve={"other": ["a:1", "b:1"]})
    assert config.fronts == {"http": ("127.0.0.1:1",), "other": ("a:1", "b:1")}
    assert config.merge(http="127.0.0.1:2").fronts["http"] == ("127.0.0.1:2",)
    served = PeerConfig(name="a", serve={"http": "a:1"})
    assert served.fronts == {"http": ("a:1",)}
    assert served.merge(http="b:1").fronts == {"http": ("b:1",)}
    assert "given twice" in str(refused(http="a:1", serve={"http": "b:1"}))
    assert refused(serve={"other": "nowhere"}).field == "other"


def test_protocol_settings_replace_those_of_the_profile() -> None:
    """Single settings can be changed, whichever profile they come from."""
    config = PeerConfig(name="a", profile="wan", protocol={"probe_timeout": 2.0})

    assert (config.gossip().probe_timeout, config.gossip().probe_interval) == (2.0, 5.0)


def test_protocol_settings_that_cannot_work_together_are_refused_with_both_names() -> None:
    """The core's own check speaks at once, not at the start of the peer."""
    error = refused(protocol={"probe_timeout": 2.0, "probe_interval": 1.0})
    assert "probe_timeout" in str(error)
    assert "probe_interval" in str(error)
    assert refused(protocol={"probe_interval": "1"}).field == "probe_interval"
    assert refused(protocol={"probe_interval": True}).field == "probe_interval"


def test_merge_replaces_what_is_given_and_checks_again() -> None:
    """None means not given, as flags come from a command line."""
    config = PeerConfig(name="a", zone="z")

    merged = config.merge(name="b", zone=None, http="127.0.0.1:1")

    assert (merged.name, merged.zone, merged.http) == ("b", "z", "127.0.0.1:1")
    assert config.name == "a"
    with pytest.raises(ConfigError, match="bind"):
        config.merge(bind="x")
    with pytest.raises(ConfigError, match="did you mean zone"):
        config.merge(zones="x")


def test_settings_can_be_copied_to_another_process() -> None:
    """Programs that fork workers hand settings over."""
    config = PeerConfig(name="a", protocol={"drain": 0.2})

    assert pickle.loads(pickle.dumps(config)) == config


def write(folder: Path, text: str) -> Path:
    path = folder / "gossamer.toml"
    path.write_text(text)
    return path


def test_a_file_has_the_names_of_the_flags_with_dashes_or_underscores(tmp_path: Path) -> None:
    """What is written on the command line can be written down."""
    path = write(
        tmp_path,
        'name = "a"\ndata-dir = "d"\nlog_level = "DEBUG"\njoin = ["b:1"]\nhttp = "off"\n'
        "[protocol]\nprobe-interval = 2\n",
    )

    config = PeerConfig.from_toml(path)

    assert (config.name, config.data_dir) == ("a", "d")
    assert config.join == ("b:1",)
    assert config.http is None
    assert config.gossip().probe_interval == 2
    # It is the command line's, and in the same file.
    assert read_toml(path)["log_level"] == "DEBUG"


@pytest.mark.parametrize(
    ("text", "fronts"),
    [
        ('http = "a:1"', {"http": ("a:1",)}),
        ('http = ["a:1", "b:1"]', {"http": ("a:1", "b:1")}),
        ('http = ["off"]\n[serve]\nother = "a:1"', {"other": ("a:1",)}),
        ('[serve]\nhttp = ["a:1", "b:1"]', {"http": ("a:1", "b:1")}),
    ],
)
def test_a_file_names_one_address_or_several(
    tmp_path: Path, text: str, fronts: dict[str, object]
) -> None:
    """As a text or as a list, for HTTP and for any other front."""
    assert PeerConfig.from_toml(write(tmp_path, text), name="a").fronts == fronts


def test_what_is_given_beside_a_file_wins(tmp_path: Path) -> None:
    """A flag wins over the file, also over a value there that is bad."""
    path = write(tmp_path, 'name = "a"\nbind = "nonsense"\nzone = "z"\n')

    config = PeerConfig.from_toml(path, bind="127.0.0.1:0", zone=None)

    assert (config.bind, config.zone) == ("127.0.0.1:0", "z")
    path = write(tmp_path, '[serve]\nhttp = "a:1"\nother = "b:1"\n')
    config = PeerConfig.from_toml(path, name="a", http=("c:1",))
    assert config.fronts == {"http": ("c:1",), "other": ("b:1",)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('nmae = "a"', ["nmae", "did you mean name"]),
        ('"data-dirs" = "d"', ["data-dirs", "data_dir"]),
        ("nonsense = 1", ["nonsense", "known keys are name"]),
        ("name = 7", ["name", "text"]),
        ('join = "b:1"', ["join", "list"]),
        ("join = [1]", ["join", "list"]),
        ("protocol = 1", ["protocol", "table"]),
        ("http = 8761", ["http", "text"]),
        ("http = [8761]", ["http", "list"]),
        ("serve = 1", ["serve", "table"]),
        ('[serve]\nother = "x"', ["other", "HOST:PORT"]),
        ("[serve]\nhttp = 8761", ["serve", "table of addresses"]),
        ("[protocol]\nprobe_intervall = 1", ["probe_intervall", "probe_interval"]),
        ('bind = "x"', ["bind", "HOST:PORT"]),
        ('data-dir = "a"\ndata_dir = "b"', ["data_dir", "twice"]),
        ("name = ", ["TOML"]),
        ("\N{GREEK SMALL LETTER ALPHA}", ["TOML"]),
    ],
)
def test_a_bad_file_is_refused_with_key_and_path(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    """The sentence names the file, the key, and the name that was probably meant."""
    path = write(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        PeerConfig.from_toml(path, name="b" if "name" not in text else None)

    for expected in [*names, str(path)]:
        assert expected in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, and bytes that are no text."""
    (tmp_path / "latin").write_bytes(b'name = "\xff"')
    for path in (tmp_path / "missing", tmp_path, tmp_path / "latin"):
        with pytest.raises(ConfigError) as caught:
            read_toml(path)
        assert caught.value.field == "config"
        assert str(path) in str(caught.value)
