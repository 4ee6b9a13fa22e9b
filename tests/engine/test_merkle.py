"""The tree of RFC 6962, against published vectors and against itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.merkle import EMPTY_ROOT, Peaks, Tree, is_consistent, is_included, leaf_hash, node_hash

# The vectors of the reference implementations of Certificate Transparency: eight leaves, and the root of each prefix.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
SIZES = st.integers(1, 300)


def a_tree(size: int) -> Tree:
    return Tree(leaf_hash(b"%d" % number) for number in range(size))


def plain_root(leaves: list[bytes]) -> bytes:
    """Word for word as section 2.1 of the RFC says it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_published_vectors(size: int):
    tree, peaks = Tree(), Peaks()
    for data in LEAVES[:size]:
        tree.append(leaf_hash(data))
        peaks = peaks.with_leaf(leaf_hash(data))
    assert tree.root().hex() == peaks.root.hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_published_vectors(index: int, size: int):
    proof = Tree(map(leaf_hash, LEAVES)).inclusion_proof(index, size)
    assert [step.hex() for step in proof] == INCLUSION[index, size]
    assert is_included(leaf_hash(LEAVES[index]), index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("earlier", "later"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_published_vectors(earlier: int, later: int):
    proof = Tree(map(leaf_hash, LEAVES)).consistency_proof(earlier, later)
    assert [step.hex() for step in proof] == CONSISTENCY[earlier, later]
    assert is_consistent(earlier, later, bytes.fromhex(ROOTS[earlier]), bytes.fromhex(ROOTS[later]), proof)


@given(st.lists(st.binary(max_size=8), max_size=200))
def test_appending_one_by_one_gives_the_tree_of_all(data: list[bytes]):
    leaves, peaks = [leaf_hash(one) for one in data], Peaks()
    for leaf in leaves:
        peaks = peaks.with_leaf(leaf)
    assert peaks.root == Tree(leaves).root() == plain_root(leaves)
    assert peaks.size == len(data)
    assert len(peaks.hashes) <= len(data).bit_length()


@given(SIZES, st.data())
def test_every_leaf_can_be_shown_and_no_other_in_its_place(size: int, data: st.DataObject):
    tree = a_tree(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index, size)
    leaf = leaf_hash(b"%d" % index)
    assert is_included(leaf, index, size, proof, tree.root())
    assert is_included(leaf, other, size, proof, tree.root()) == (other == index)
    assert not is_included(leaf_hash(b"x"), index, size, proof, tree.root())
    assert not is_included(leaf, size, size, proof, tree.root())
    assert not is_included(leaf, index, size, [*proof, leaf], tree.root())
    if proof:
        assert not is_included(leaf, index, size, proof[:-1], tree.root())


@given(SIZES, st.data())
def test_a_tree_is_the_beginning_of_every_later_one_and_of_no_other(size: int, data: st.DataObject):
    tree = a_tree(size)
    earlier = data.draw(st.integers(0, size))
    proof = tree.consistency_proof(earlier, size)
    assert is_consistent(earlier, size, tree.root(earlier), tree.root(), proof)
    if earlier > 0:
        assert not is_consistent(earlier, size, leaf_hash(b"x"), tree.root(), proof)
        assert not is_consistent(earlier, size, tree.root(earlier), leaf_hash(b"x"), proof)
    assert not is_consistent(earlier, size, tree.root(earlier), tree.root(), [*proof, leaf_hash(b"x")])
    for cut in range(len(proof)):
        assert not is_consistent(earlier, size, tree.root(earlier), tree.root(), proof[:cut] + proof[cut + 1 :])


@pytest.mark.parametrize("wrong", [(5, 4), (-1, 3), (2, 9)])
def test_proofs_over_what_is_not_there_are_refused(wrong: tuple[int, int]):
    tree = a_tree(8)
    with pytest.raises(ValueError, match=r"leaves|among"):
        tree.consistency_proof(*wrong)
    with pytest.raises(ValueError, match=r"leaves|leaf|among"):
        tree.inclusion_proof(*wrong)


def test_peaks_that_do_not_fit_the_size_are_refused():
    with pytest.raises(ValueError, match="peaks"):
        Peaks(3, (b"x" * 32,))


def test_tree_is_no_beginning_of_a_shorter_one():
    tree = a_tree(3)
    assert not is_consistent(3, 2, tree.root(), tree.root(2), [])
    assert not is_consistent(-1, 2, tree.root(), tree.root(2), [])


def test_growth_without_a_proof_is_not_believed():
    tree = a_tree(5)
    assert not is_consistent(3, 5, tree.root(3), tree.root(5), [])


def test_no_proof_of_the_leaf_after_the_last():
    with pytest.raises(ValueError, match="no leaf 1 among 1"):
        a_tree(1).inclusion_proof(1, 1)
