"""skops_types: what skops says, from bytes alone; forged schemas are refused.

`test_trust` holds it against what skops says of every estimator.
"""

import copy
import io
import itertools
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import skops.io

import mergeline.model
from mergeline.model.canonical import canonical_skops
from mergeline.model.pipeline import build_pipeline
from mergeline.model.skops_types import trusted_by_skops, untrusted_types
from mergeline.model.trust import TRUSTED_TYPES
from model.skops_lists import BITS, DICT, INSIDE, LIST, REFUSED, TEXT, TREE, TUPLE, node, packed
from model.zoo import model_of

LISTS = Path(mergeline.model.__file__).with_name("skops_lists.json")
FILES = {"0.bin": b"x", "0.npz": b"x"}


def test_the_lists_are_those_of_the_installed_skops(request):
    """Made in a process of its own: skops looks some names up in the modules that are loaded."""
    command = [sys.executable, str(Path(__file__).with_name("skops_lists.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if request.config.getoption("--update-goldens"):
        LISTS.write_text(done.stdout)
    assert json.loads(LISTS.read_text()) == json.loads(done.stdout), "see it: --update-goldens"


# --- every node, with every name ---------------------------------------------------------

NAMES = sorted(
    {
        *itertools.chain.from_iterable(trusted_by_skops().values()),
        *TRUSTED_TYPES,
        *("os.system", "posix.system", "builtins.eval", "builtins.exec", "subprocess.Popen"),
        *("sklearn.datasets._base.load_files", "numpy.lib._npyio_impl.load", "operator.call"),
    }
)


def files_of(state):
    return {state["file"]: FILES[state["file"]]} if "file" in state else {}


def by_skops(data):
    """What skops does not trust; None where it refuses the file."""
    try:
        return set(skops.io.get_untrusted_types(data=data))
    except Exception:  # noqa: BLE001 -- it raises whatever a forged schema makes it raise
        return None


@pytest.mark.parametrize("loader", INSIDE)
def test_nothing_passes_that_skops_would_not_pass(loader):
    """Ours may refuse more than skops does; what it lets pass is what skops lets pass."""
    for name in random.Random(loader).sample(  # noqa: S311
        NAMES, 40
    ):
        if loader == "MethodNode":
            state = node(loader, name, content={"func": "strip", "obj": node("TypeNode", name)})
        else:
            state = node(loader, name, **INSIDE[loader])
        data = packed(state, **files_of(state))
        try:
            found = set(untrusted_types(data))
        except ValueError:
            continue
        said = by_skops(data)
        assert said is not None, state
        assert said <= found, state


def test_a_trusted_name_passes_in_its_own_node_only():
    for loader, names in trusted_by_skops().items():
        for name in sorted(names)[:3] if loader in INSIDE else ():
            if loader not in ("JsonNode", "LossNode"):
                state = node(loader, name, **INSIDE[loader])
                assert untrusted_types(packed(state, **files_of(state))) == (), state
    estimator = "sklearn.linear_model._logistic.LogisticRegression"
    assert untrusted_types(packed(node("FunctionNode", estimator))) == (estimator,)
    assert untrusted_types(packed(node("ObjectNode", "numpy.add"))) == ("numpy.add",)


# --- forgeries ------------------------------------------------------------------------------

EVIL = node("FunctionNode", "posix.system")
JSON = "x" * 40


def listed(*nodes):
    return node("ListNode", "builtins.list", content=list(nodes))


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        (EVIL, ["posix.system"]),
        (listed(listed(EVIL)), ["posix.system"]),
        (node("TypeNode", "subprocess.Popen"), ["subprocess.Popen"]),
        (node("ObjectNode", "subprocess.Popen"), ["subprocess.Popen"]),
        (
            node("ConstructorFromReduceNode", "os.system", content=TUPLE),
            ["os.system"],
        ),
        (
            node(
                "PartialNode",
                "functools.partial",
                content={"func": EVIL, "args": TUPLE, "kwds": DICT, "namespace": TEXT},
            ),
            ["functools.partial", "posix.system"],
        ),
        (node("DictNode", "builtins.dict", content={"a": EVIL}, key_types=LIST), ["posix.system"]),
        (
            node("DictNode", "builtins.dict", content={}, key_types=listed(EVIL)),
            ["posix.system"],
        ),
        (
            node(
                "DefaultDictNode",
                "collections.defaultdict",
                content={"main": DICT, "default_factory": EVIL},
            ),
            ["posix.system"],
        ),
        (
            node("NdArrayNode", "numpy.ndarray", type="json", content=[EVIL], shape=TUPLE),
            ["posix.system"],
        ),
        (
            node("NdArrayNode", "numpy.ndarray", type="json", content=[], shape=EVIL),
            ["posix.system"],
        ),
        (
            node("TreeNode", TREE, __reduce__={"args": EVIL}, content=DICT),
            ["posix.system", TREE],
        ),
        (
            node("OperatorFuncNode", "operator.methodcaller", attrs=EVIL),
            ["operator.methodcaller", "posix.system"],
        ),
        (
            node(
                "MethodNode",
                "builtins.str",
                content={"func": "format", "obj": TEXT},
            ),
            ["builtins.str", "builtins.str.format"],
        ),
        (
            node(
                "RandomGeneratorNode",
                "numpy.random._generator.Generator",
                content={
                    "bit_generator": {
                        **BITS,
                        "content": {"bit_generator": {**TEXT, "content": '"seed"'}},
                    },
                    "seed_seq": DICT,
                },
            ),
            ["numpy.random.seed"],
        ),
        (node("MaskedArrayNode", "numpy.ma.MaskedArray", content={"data": TEXT, "mask": EVIL}),
         ["posix.system"]),
    ],
)  # fmt: skip
def test_a_type_is_found_wherever_it_hides(schema, types):
    assert list(untrusted_types(packed(schema))) == types


def test_a_node_that_skops_would_take_from_its_memory_is_looked_at_all_the_same():
    first, second = {**TEXT, "__id__": 7}, {**EVIL, "__id__": 7}
    data = packed(listed(first, second))
    assert skops.io.get_untrusted_types(data=data) == []
    assert untrusted_types(data) == ("posix.system",)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "protocol None"),
        ({}, "where a node is expected"),
        ("text", "protocol None"),
        (node("EvilNode"), "the loader 'EvilNode'"),
        *((node(name), f"the loader '{name}'") for name in sorted(REFUSED)),
        ({**TEXT, "__loader__": ["JsonNode"]}, "the loader a list"),
        (listed("text"), "'text' where a node is expected"),
        (listed(None), "None where a node is expected"),
        (listed([TEXT]), "a list of 1 values where a node"),
        (node("ListNode", "builtins.list", content={"a": EVIL}), "where a list is expected"),
        (node("ListNode", "builtins.list", content=[], extra=EVIL), "'extra' where 'ListNode'"),
        (node("ListNode", "builtins.list"), "'content' where 'ListNode'"),
        ({**TEXT, "__id__": "x"}, "the id 'x'"),
        ({**TEXT, "__id__": True}, "the id True"),
        ({**TEXT, "__module__": None}, "the module None"),
        ({**TEXT, "__module__": "a..b"}, "the module 'a..b'"),
        ({**TEXT, "__module__": ""}, "the module ''"),
        ({**TEXT, "__module__": ".os"}, "the module '.os'"),
        ({**TEXT, "__module__": "\u043es"}, "the module"),
        ({**TEXT, "__class__": "a.b"}, "the type 'a.b' of the module builtins"),
        ({**TEXT, "__class__": ""}, "the type ''"),
        ({**TEXT, "content": EVIL}, "as the content of a JsonNode"),
        ({**TEXT, "is_json": 1}, "as the content of a JsonNode"),
        (node("DictNode", "builtins.dict", content=[], key_types=LIST), "content of a DictNode"),
        (node("SliceNode", "builtins.slice", content={"start": EVIL, "stop": 1, "step": 1}),
         "the end of a SliceNode"),
        (node("SliceNode", "builtins.slice", content={"start": 0, "stop": 1}), "'step' where"),
        (node("OperatorFuncNode", "os.system", attrs=TUPLE), "an OperatorFuncNode of os.system"),
        (node("TreeNode", "sklearn.tree._tree.Other", __reduce__={"args": TUPLE}, content=DICT),
         "a TreeNode that calls itself"),
        (node("MethodNode", "builtins.list", content={"func": "format", "obj": TEXT}),
         "belongs to something else"),
        (node("MethodNode", "builtins.str", content={"func": "__class__.x", "obj": TEXT}),
         "the method"),
        (node("RandomGeneratorNode", "numpy.random._generator.Generator",
              content={"bit_generator": DICT, "seed_seq": DICT}), "does not say its kind"),
        (node("NdArrayNode", "numpy.ndarray", type="pickle", file="0.npy"), "the type 'pickle'"),
        (node("NdArrayNode", "numpy.ndarray", type="numpy", file="../../x.npy"), "the file name"),
        (node("NdArrayNode", "numpy.ndarray", type="numpy", file=["0.npy"]), "the file name"),
        (node("BytesNode", "builtins.bytes", file="0.pkl"), "the file name '0.pkl'"),
        (node("BytesNode", "builtins.bytes", file="schema.json"), "the file name"),
        (node("SparseMatrixNode", "scipy.sparse._base.sparray", type="x", file="0.npz"),
         "the type 'x'"),
        (node("ConstructorFromReduceNode", "functools.partial", content=TUPLE),
         "functools.partial in a ConstructorFromReduceNode"),
        (node("TypeNode", TREE), "expected in a TreeNode"),
        (node("ListNode", "sklearn.utils.validation.check_array", content=[]),
         "expected in a FunctionNode"),
    ],
)  # fmt: skip
def test_what_skops_never_writes_is_refused(schema, said):
    with pytest.raises(ValueError, match=said):
        untrusted_types(packed(schema))


@pytest.mark.parametrize("protocol", [0, 1, 3, True, 2.0, "2", None])
def test_another_protocol_is_refused(protocol):
    with pytest.raises(ValueError, match="expected 2"):
        untrusted_types(with_schema(json.dumps({**TEXT, "protocol": protocol}).encode()))


def with_schema(schema, **files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
        target.writestr("schema.json", schema)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (b'{"protocol": 2, "protocol": 0}', "'protocol' is given twice"),
        (b'{"protocol": 2, "__class__": "a", "__class__": "b"}', "'__class__' is given twice"),
        (b"\xff", "not UTF-8"),
        (b'{"protocol": 2, "content": ' + b"[" * 3_000 + b"]" * 3_000 + b"}", "nested"),
        (json.dumps({**TEXT, "protocol": 2}).encode()[:-5], "Unterminated string"),
    ],
)
def test_a_schema_with_two_readings_is_refused(schema, said):
    with pytest.raises(ValueError, match=rf"{said}"):
        untrusted_types(with_schema(schema))


def test_deep_nesting_is_refused():
    state = TEXT
    for _ in range(150):
        state = listed(state)
    with pytest.raises(ValueError, match="nested deeper than 200"):
        untrusted_types(packed(state))


# --- members ----------------------------------------------------------------------------------

ARRAY = node("NdArrayNode", "numpy.ndarray", type="numpy", file="0.npy")
NPY = b"\x93NUMPY" + bytes(10)


def test_an_array_is_an_array():
    assert untrusted_types(packed(ARRAY, **{"0.npy": NPY})) == ()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + bytes(40), b"\x80\x04\x95" + bytes(40)])
def test_an_array_that_is_an_archive_or_a_pickle_is_refused(data):
    with pytest.raises(ValueError, match=r"0\.npy is not an array"):
        untrusted_types(packed(ARRAY, **{"0.npy": data}))


@pytest.mark.parametrize("name", ["model.pkl", "1.npy", "code/evil.py", "__init__.py"])
def test_a_member_that_no_node_names_is_refused(name):
    with pytest.raises(ValueError, match="members and schema do not fit"):
        untrusted_types(packed(ARRAY, **{"0.npy": NPY, name: NPY}))


def test_a_member_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"do not fit: '0\.npy'"):
        untrusted_types(packed(ARRAY))


def test_a_second_schema_is_refused():
    data = packed(TEXT, **{"schema.jsom": json.dumps(EVIL).encode()})
    with pytest.raises(ValueError, match=r"the name 'schema\.json' is there twice"):
        untrusted_types(data.replace(b"schema.jsom", b"schema.json"))


def test_a_compressed_member_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("schema.json", json.dumps({**TEXT, "protocol": 2}) + " " * 1_000)
    with pytest.raises(ValueError, match=r"'schema\.json' is compressed"):
        untrusted_types(buffer.getvalue())


def test_a_file_without_a_schema_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("other.json", "{}")
    with pytest.raises(ValueError, match=r"no schema\.json"):
        untrusted_types(buffer.getvalue())


# --- at random --------------------------------------------------------------------------------


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    inside = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else inside:
        yield from places(item, (*path, key))


def mutated(schema, place, chance):
    """The schema with one value replaced by one of those around it, or by a forged one."""
    state = copy.deepcopy(schema)
    *way, last = place
    target = state
    for key in way:
        target = target[key]
    values = [EVIL, "os", "system", "FunctionNode", "TypeNode", None, 7, [], {}, target]
    target[last] = copy.deepcopy(chance.choice(values))
    return state


def test_no_mutation_of_a_real_model_hides_a_type(table):
    model = model_of("sklearn.tree.DecisionTreeClassifier", {"max_depth": 2})
    pipeline = build_pipeline(model, table.features)
    pipeline.fit(table.rows, table.labels)
    data = canonical_skops(skops.io.dumps(pipeline))
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        files = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(files.pop("schema.json"))
    chance, passed = random.Random(1), 0  # noqa: S311
    every = [path for path in places(schema) if path]
    for place in chance.sample(every, 150):
        forged = with_schema(json.dumps(mutated(schema, place, chance)).encode(), **files)
        try:
            found = set(untrusted_types(forged))
        except ValueError:
            continue
        passed += 1
        said = by_skops(forged)
        assert said is None or said <= found
    assert passed > 5
