#include "src/base/threads.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include "unroll/error.h"

namespace unroll::base {
namespace {

TEST(Workers, MakeEachCallExactlyOnce) {
  for (int threads : {1, 2, 3, 8}) {
    Workers workers(threads);
    EXPECT_EQ(workers.threads(), threads);
    for (Index count : {0, 1, 2, 7, 100}) {
      // Many short rounds: a worker that is late for one must not disturb the next.
      for (int round = 0; round < 300; ++round) {
        std::vector<std::atomic<int>> made(static_cast<std::size_t>(count));
        workers.run(count, [&](Index i) { ++made[static_cast<std::size_t>(i)]; });
        for (const auto& times : made) ASSERT_EQ(times, 1) << threads << " threads, " << count;
      }
    }
  }
}

// A worker that is late for a round of few calls still knows that round's number when a round of
// more calls is made ready: it must not take one of those.
TEST(Workers, LateOnesTakeNothingOfARoundOfMoreCalls) {
  for (int threads : {2, 3, 4}) {
    Workers workers(threads);
    for (int round = 0; round < 100000; ++round) {
      const Index count = 2 + round % 7;
      std::array<std::atomic<int>, 8> made{};
      workers.run(count, [&](Index i) { ++made[static_cast<std::size_t>(i)]; });
      for (Index i = 0; i < 8; ++i) {
        ASSERT_EQ(made[static_cast<std::size_t>(i)], i < count ? 1 : 0) << round;
      }
    }
  }
}

TEST(Workers, RethrowTheErrorOfTheLowestCall) {
  Workers workers(4);
  for (int round = 0; round < 50; ++round) {
    try {
      workers.run(64, [](Index i) {
        if (i % 2 == 1) throw std::runtime_error(std::to_string(i));
      });
      FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "1");
    }
  }
  Index sum = 0;
  workers.run(1, [&](Index) { sum = 1; });  // and go on
  EXPECT_EQ(sum, 1);
}

TEST(Workers, FlushDenormals) {
  Workers workers(2);
  volatile float tiny = 1e-38f;
  std::vector<float> results(16, -1.0f);
  workers.run(16, [&](Index i) { results[static_cast<std::size_t>(i)] = tiny * 0.01f; });
  for (float result : results) EXPECT_EQ(result, 0.0f);
  EXPECT_GT(tiny * 0.01f, 0.0f);  // and outside as before
}

TEST(DefaultThreads, ReadsTheEnvironment) {
  setenv("UNROLL_THREADS", "3", 1);
  EXPECT_EQ(default_threads(), 3);
  setenv("UNROLL_THREADS", "three", 1);
  try {
    default_threads();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "UNROLL_THREADS is not a number of threads\n"
                 "  got    \"three\"\n"
                 "  want   a count from 1 to 1024");
  }
  unsetenv("UNROLL_THREADS");
  EXPECT_GE(default_threads(), 1);
}

}  // namespace
}  // namespace unroll::base
