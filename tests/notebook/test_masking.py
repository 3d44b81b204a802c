from __future__ import annotations

import os
from pathlib import Path

import pytest

from jmuz_magic.notebook.masking import mask
from jmuz_magic.secret import Secret

KEY = "sk-proj-Abc123def456Ghi789jkl012"


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        "sk-ant-api03-abcdefghijklmnop",
        "sk-or-v1-0123456789abcdef0123",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghij_klmnop",
        "gsk_abcdefghijklmnop0123",
        "hf_abcdefghijklmnopqrst",
        "xai-abcdefghijklmnop",
        "AIzaSyA-1234567890abcdefghijklmnopqrstu",
        "AKIAIOSFODNN7EXAMPLE",
        "dapi0123456789abcdef0123456789abcdef",
        "ABSKQmVkcm9ja0FQSUtleS1hYmNkZWY=",
        "xoxb-123456789012-abcdefghijkl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123",
        "0123456789abcdef0123456789abcdef",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    ],
)
def test_what_looks_like_a_key_is_masked(key: str) -> None:
    for text in (f"key {key}.", f'client("{key}")', f"x={key}\n", key):
        assert key not in mask(text)
        assert "***" in mask(text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('api_key = "abcdefgh"', 'api_key = "***"'),
        ("API_KEY='abcdefgh'", "API_KEY='***'"),
        ('os.environ["MY_SERVICE_TOKEN"] = "abcdefgh"', 'os.environ["MY_SERVICE_TOKEN"] = "***"'),
        ("os.environ.setdefault('DB_PASSWORD', 'hunter22')", "os.environ.setdefault('DB_PASSWORD', '***')"),
        ('{"password": "hunter22", "user": "ann"}', '{"password": "***", "user": "ann"}'),
        ('connect(user="ann", password="hunter22")', 'connect(user="ann", password="***")'),
        ('secret: str = "abcdefgh"', 'secret: str = "***"'),
        ('token = f"abc{x}defg"', 'token = f"***"'),
        ("%env MY_API_KEY=abc123def456ghi", "%env MY_API_KEY=***"),
        ("%env MY_API_KEY abc123def456ghi", "%env MY_API_KEY ***"),
        ("export TOKEN=abc123def456ghi", "export TOKEN=***"),
        ("export AWS_BEARER_TOKEN_BEDROCK=abc123def456ghi", "export AWS_BEARER_TOKEN_BEDROCK=***"),
        ('os.environ["AWS_BEARER_TOKEN_BEDROCK"] = "abcdefgh"', 'os.environ["AWS_BEARER_TOKEN_BEDROCK"] = "***"'),
        ("HTTPS_PROXY=http://ann:hunt%4022@proxy:3128", "HTTPS_PROXY=http://***@proxy:3128"),
        ("Authorization: Bearer abcdefgh12", "Authorization: Bearer ***"),
        ("postgres://ann:hunter22@db/x", "postgres://***@db/x"),
        ("postgres://ann:hunt@er@22@db/x?a=b@c", "postgres://***@db/x?a=b@c"),
        ("smtp://ann@example.org:hunter22@mail:25", "smtp://***@mail:25"),
        ("redis://:hunter22@cache:6379/0", "redis://***@cache:6379/0"),
        ('token = """abcdefgh"""', 'token = """***"""'),
        ("api_key: str = r'''\nabc\n'd'\n'''\nx = 1", "api_key: str = r'''***'''\nx = 1"),
        ('{"password": """a "b" c""", "x": """y"""}', '{"password": """***""", "x": """y"""}'),
        ('connect(password="""hunter22""", user="""ann""")', 'connect(password="""***""", user="""ann""")'),
        ("!curl -u ann:hunter22 https://x.example/a:b", "!curl -u *** https://x.example/a:b"),
        ("!curl -uann:hunter22 https://x.example", "!curl -u*** https://x.example"),
        ("curl -sSu 'ann:hunter 22' -o out x.example", "curl -sSu '***' -o out x.example"),
        ('curl --user="ann:it\'s" x.example', 'curl --user="***" x.example'),
        ("curl --proxy-user ann:hunter22 x.example", "curl --proxy-user *** x.example"),
        ("curl x.example \\\n  -u ann:hunter22", "curl x.example \\\n  -u ***"),
        ('run(["curl", "-u", "ann:hunter22", "x.example"])', 'run(["curl", "-u", "***", "x.example"])'),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIab\ncd==\n-----END RSA PRIVATE KEY-----",
         "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----"),
    ],
)  # fmt: skip
def test_what_is_named_as_a_secret_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        'tokenizer = "bert-base-uncased"',
        "max_tokens = 1000000000000",
        "tokens = tokenize(text)",
        "for key, value in pairs.items():",
        'sort(key="population")',
        "token = tokens[0]",
        "if password == expected_password:",
        "The key takeaway is understanding",
        "test_that_a_function_with_a_very_long_name_works",
        "http://example.com/a:b",
        "x = 3.14159265358979323846264338327950288",
        "http://localhost:8000/ann@example.org",
        "curl -u ann https://example.org:8080/x:y",
        "curl --user-agent 'a: b' --url http://example.org:8080",
        "docker run -u 1000:1000 image",
        'token = """"""\nx = 1\n"""A text."""',
        'token = """abc"""\nx = 1\n"""A text."""',
        'def f():\n    """Return the token:"""\n    x = 1\n    """A text."""',
        'tokens = """one two three"""',
        'query = """select key, secret from t"""',
        "def f(n: int) -> str:\n    return 'n' * n",
    ],
)
def test_usual_code_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


def test_values_of_secret_variables_are_masked_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVICE_API_KEY", "swordfish-swordfish")
    monkeypatch.setenv("SHORT_TOKEN", "x")
    assert mask("ask swordfish-swordfish x") == "ask *** x"


def test_given_secrets_are_masked() -> None:
    assert mask("say swordfish now", [Secret("swordfish"), Secret("now")]) == "say *** now"


def test_the_home_directory_is_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert mask('File "/home/ann/x.py", in /home/ann') == 'File "~/x.py", in ~'
    assert mask("/home/annabel/x.py") == "/home/annabel/x.py"
    monkeypatch.setenv("HOME", "/")
    assert mask("/usr/lib") == "/usr/lib"


def test_the_home_directory_is_also_found_behind_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    assert mask(f"{tmp_path}/real/x {tmp_path}/link/x") == "~/x ~/x"


def test_the_working_directory_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/srv/project-files")
    monkeypatch.setenv("HOME", "/home/ann")
    assert mask("/srv/project-files/x.py") == "/srv/project-files/x.py"


@pytest.mark.threat(24)
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "key=",
        "://a:",
        "BEGIN PRIVATE KEY",
        "-",
        "eyJ",
        "token ",
        "'",
        "sk-",
        " \t",
        "-----BEGIN A PRIVATE KEY-----",
        'token="""',
        "curl -u ",
        "curl -ua",
        "curl \\\n",
        "://a:b@",
        ":@",
    ],
)
def test_masking_takes_time_in_proportion_to_the_text(piece: str) -> None:
    import time

    text = piece * (200_000 // len(piece))
    start = time.process_time()
    mask(text)
    assert time.process_time() - start < 5.0, os.uname()


@pytest.mark.parametrize(
    "code",
    [
        "# basic statistics of a table",
        'pad_token = "[PAD]"; sort_key = "timestamp"',
        'pk_columns_in_table = ["id"]',
        'hf_hub_download("a/b")',
        "curl = dFy[-u:n] - dFx",
        "npm-run-all-scripts",
    ],
)
def test_ordinary_code_stays_as_it_is(code: str) -> None:
    assert mask(code) == code
