// Counts what operator new gives out. It replaces the operator for the whole program, so that one
// file of a test binary includes it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNROLL_OPERATOR_NEW_IS_TAKEN  // by the sanitizer, whose own cannot be replaced
#endif
#endif

namespace unroll {
inline std::atomic<long> allocations{0};
}  // namespace unroll

#ifndef UNROLL_OPERATOR_NEW_IS_TAKEN
// Not inlined: g++ would warn that one is inlined and the other is not.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++unroll::allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++unroll::allocations;
  return std::malloc(size ? size : 1);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace unroll {

/// The base of tests that count: a count that does not work fails, a sanitizer's is skipped.
class Allocation : public testing::Test {
 protected:
  void SetUp() override {
#ifdef UNROLL_OPERATOR_NEW_IS_TAKEN
    GTEST_SKIP() << "the sanitizer has its own operator new";
#endif
    const long before = allocations;
    ::operator delete(::operator new(1));  // a new-expression might be optimised away
    ASSERT_EQ(allocations, before + 1);
  }
};

}  // namespace unroll
