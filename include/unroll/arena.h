// Arena: memory for one step of one lane, given back all at once.
//
// The first step grows it block by block; reset() then joins the blocks into one, so that every
// later step of the same size takes nothing from the heap.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "unroll/index.h"

namespace unroll::base {

/// Bump allocation. Threads: one at a time.
class Arena {
 public:
  /// What take() aligns to, in bytes: a cache line, and the widest vector.
  static constexpr Index alignment = 64;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `count` objects, not initialised, aligned to a cache line. Valid until reset().
  template <class T>
  T* take(Index count) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
    return static_cast<T*>(take_bytes(count * static_cast<Index>(sizeof(T)), alignment));
  }
  /// The same, for small bookkeeping: aligned to 16 bytes only.
  template <class T>
  T* take_small(Index count = 1) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    return static_cast<T*>(take_bytes(count * static_cast<Index>(sizeof(T)), 16));
  }

  /// Forgets everything taken. Joins blocks, so it may allocate after a step larger than before.
  void reset();

  /// Bytes taken since reset(), and the most ever taken between two resets.
  Index used() const noexcept { return used_; }
  Index peak() const noexcept { return peak_; }

  /// A position to return to: scratch taken after mark() is given back by release().
  struct Mark {
    std::size_t block;
    Index at;
    Index used;
  };
  Mark mark() const noexcept { return {blocks_.empty() ? 0 : blocks_.size() - 1, at_, used_}; }
  void release(const Mark& mark) noexcept;

 private:
  struct Block {
    std::shared_ptr<void> memory;
    Index size = 0;
  };

  void* take_bytes(Index bytes, Index alignment);
  void grow(Index bytes);

  std::vector<Block> blocks_;  // the last one is being filled
  Index at_ = 0;
  Index used_ = 0;
  Index peak_ = 0;
};

}  // namespace unroll::base
