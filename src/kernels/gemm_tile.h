// What the tiles of matrix products are told. Plain structs, the same for every instruction set;
// the tiles themselves are declared in gemm_tile-inl.h.
//
// L: numbers in a vector. B is packed in panels of 3 L, 2 L or L columns, k-major: panel_vectors()
// says how wide the next one is. A tile is as wide as a panel, so that its 12 or so accumulators,
// the panel's vectors of one k and one number of A just fit the 16 registers of AVX2.
#pragma once

#include "unroll/index.h"

namespace unroll::kernels {

/// Vectors in the next panel where `left` are still to come. Never 1 after a 3: two panels of 2
/// keep the multiply-add units busier, as a panel of 1 reads more numbers than it multiplies.
constexpr Index panel_vectors(Index left) noexcept { return left == 4 ? 2 : left < 3 ? left : 3; }
/// How many panels so many vectors make, and the first vector of panel i.
constexpr Index panel_count(Index vectors) noexcept { return (vectors + 2) / 3; }
constexpr Index panel_begin(Index vectors, Index i) noexcept {
  return vectors % 3 == 1 && i > 0 && i == vectors / 3 ? 3 * i - 1 : 3 * i;
}

/// Rows of a matrix: at distance ld, or, with `which`, a choice of such rows.
template <class T>
struct Rows {
  T* base;
  Index ld;
  const Index* which = nullptr;  // null: all, one after the other

  T* at(Index i) const noexcept { return base + (which ? which[i] : i) * ld; }
};

/// Some terms of a product: K columns of A times K rows of a panel.
template <class T>
struct Terms {
  Rows<const T> a;
  Index K;
  const T* panel;
};

/// One panel's columns of C = [relu](start + [C] + the terms, in their order, k ascending).
template <class T>
struct PanelProduct {
  static constexpr int most_terms = 4;

  // The first `count` are set. The rest is left as it is: to clear all that for every product would
  // take a twentieth of the time that small cells take.
  Terms<T> terms[most_terms];
  int count = 0;
  Rows<T> c = {};
  Index vectors = 0;         // of the panel
  Index columns = 0;         // of C that are written
  const T* bias = nullptr;   // as wide as the panel; null: zeros
  Rows<const T> start = {};  // instead of the bias: a row of its own for each row of C
  bool accumulate = false;
  bool relu = false;
  // What comes after this product: fetched into the cache meanwhile, by each tile its share.
  const T* next = nullptr;
  Index next_count = 0;

  void add(Rows<const T> a, Index K, const T* panel) noexcept { terms[count++] = {a, K, panel}; }
};

/// One row times several panels of equal width that lie panel_step apart; all their accumulators
/// are in registers at once. Same bits as the same row in a PanelProduct.
template <class T>
struct RowProduct {
  const T* a = nullptr;
  Index K = 0;
  const T* panel = nullptr;
  Index panel_step = 0;
  Index vectors = 0;
  Index panels = 0;
  const T* bias = nullptr;  // never null
  Index bias_step = 0;
  T* c = nullptr;
  Index c_step = 0;
};

/// C (K, N) += A^T D over M rows, m ascending. The rows of C are in up to three places, one after
/// the other: the gradients of a recurrent kernel, of a kernel and of a bias.
template <class T>
struct TransposedProduct {
  Index M = 0, N = 0;
  const T* a = nullptr;
  Index lda = 0;
  bool wide_a = false;   // readable up to K rounded up to a vector
  const T* d = nullptr;  // readable up to N rounded up to a vector
  Index ldd = 0;
  struct Place {
    T* c = nullptr;
    Index rows = 0;
    Index ld = 0;
  };
  Place places[3];

  /// The same sums for `rows` rows of C from `row` on, and its columns from `column` on.
  TransposedProduct part(Index row, Index rows, Index column) const noexcept {
    TransposedProduct p = *this;
    for (Place& place : p.places) {
      const Index skipped = row < place.rows ? row : place.rows;
      const Index left = place.rows - skipped;
      const Index taken = left < rows ? left : rows;
      place = {place.c + skipped * place.ld + column, taken, place.ld};
      row -= skipped;
      rows -= taken;
    }
    p.N -= column;
    return p;
  }
  Index K() const noexcept { return places[0].rows + places[1].rows + places[2].rows; }
  T* row(Index k) const noexcept {
    for (const Place& place : places) {
      if (k < place.rows) return place.c + k * place.ld;
      k -= place.rows;
    }
    return nullptr;
  }
};

/// Columns of A that the tiles of large products A^T D take at once, and the most rows that they
/// take: what they read of D then stays in L1.
inline constexpr Index strip_width = 4, strip_rows = 128;
constexpr Index strips_for(Index columns) noexcept {
  return (columns + strip_width - 1) / strip_width;
}

}  // namespace unroll::kernels
