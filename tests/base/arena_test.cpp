#include "unroll/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace unroll::base {
namespace {

TEST(Arena, GivesAlignedMemoryThatDoesNotOverlap) {
  Arena arena;
  char* before = nullptr;
  for (Index size : {1, 63, 64, 65, 4096, 200000}) {
    char* memory = arena.take<char>(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % Arena::alignment, 0u);
    std::memset(memory, 1, static_cast<std::size_t>(size));
    if (before != nullptr) {
      EXPECT_EQ(before[0], 1);
    }
    before = memory;
  }
}

TEST(Arena, OneBlockServesEveryLaterStep) {
  Arena arena;
  const auto step = [&] {
    void* first = arena.take<double>(1000);
    arena.take<double>(50000);
    arena.take_small<int>(3);
    return first;
  };
  step();
  arena.reset();
  void* second = step();
  for (int i = 0; i < 3; ++i) {
    arena.reset();
    EXPECT_EQ(step(), second);
  }
}

TEST(Arena, ReleaseGivesScratchBack) {
  Arena arena;
  arena.take<char>(100);
  const Index used = arena.used();
  const auto mark = arena.mark();
  void* scratch = arena.take<char>(1000);
  arena.release(mark);
  EXPECT_EQ(arena.used(), used);
  EXPECT_EQ(arena.take<char>(1000), scratch);
  EXPECT_GE(arena.peak(), used + 1000);
}

}  // namespace
}  // namespace unroll::base
