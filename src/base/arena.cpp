#include "unroll/arena.h"

#include <algorithm>

#include "src/base/aligned.h"

namespace unroll::base {

namespace {
constexpr Index smallest_block = 64 * 1024;
}

void* Arena::take_bytes(Index bytes, Index alignment) {
  Index start = round_up(at_, alignment);
  if (blocks_.empty() || start + bytes > blocks_.back().size) {
    grow(bytes);
    start = 0;
  }
  used_ += start + bytes - at_;
  peak_ = std::max(peak_, used_);
  at_ = start + bytes;
  return static_cast<std::byte*>(blocks_.back().memory.get()) + start;
}

void Arena::grow(Index bytes) {
  // Each block at least doubles what there is: a long first step takes few of them.
  const Index size = round_up(std::max({bytes, used_, smallest_block}), cache_line);
  blocks_.push_back({aligned_bytes(size), size});
  at_ = 0;
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    blocks_.clear();
    // Alignment may fall differently in one block; an eighth more covers it.
    used_ = 0;
    grow(peak_ + peak_ / 8);
  }
  at_ = 0;
  used_ = 0;
}

void Arena::release(const Mark& mark) noexcept {
  // Later blocks stay until reset(), which learns from peak() how large one block must be.
  if (!blocks_.empty() && mark.block + 1 == blocks_.size()) at_ = mark.at;
  used_ = blocks_.empty() || mark.block + 1 == blocks_.size() ? mark.used : used_;
}

}  // namespace unroll::base
