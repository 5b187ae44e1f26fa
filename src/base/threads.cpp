#include "src/base/threads.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#include "unroll/error.h"

namespace unroll::base {

namespace {

constexpr int spins_before_sleep = 4000;  // some tens of microseconds

constexpr std::uint64_t closed = 0xffffffffu;  // the lower half of a claim that gives no call

void pause_briefly() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

int usable_processors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// The processors that a cgroup (version 2) lets this process use, rounded up; 0 if unlimited.
int cgroup_processors() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::max(1, static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period)));
}

}  // namespace

int default_threads() {
  if (const char* text = std::getenv("UNROLL_THREADS"); text != nullptr && *text != '\0') {
    char* end = nullptr;
    const long count = std::strtol(text, &end, 10);
    if (*end != '\0' || count < 1 || count > 1024) {
      throw Error(ErrorKind::value, "UNROLL_THREADS is not a number of threads",
                  {.got = std::string("\"") + text + "\"", .want = "a count from 1 to 1024"});
    }
    return static_cast<int>(count);
  }
  const int limit = cgroup_processors();
  return limit == 0 ? usable_processors() : std::min(limit, usable_processors());
}

Workers::Workers(int threads) {
  team_.reserve(static_cast<std::size_t>(std::max(threads, 1) - 1));
  for (int i = 1; i < threads; ++i) team_.emplace_back([this] { member(); });
}

Workers::~Workers() {
  stop_ = true;
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& thread : team_) thread.join();
}

void Workers::run_erased(Index count, Task task, void* target) {
  if (count <= 0) return;
  // Closed first: a worker that is late for the round before would otherwise read the new count,
  // take a call that its round never had, and run it against the new task. Release and acquire on
  // what it reads make sure that whoever sees the new values finds the claim closed.
  const std::uint64_t round = (claim_.load(std::memory_order_relaxed) >> 32) + 1;
  claim_.store(round << 32 | closed, std::memory_order_relaxed);
  task_.store(task, std::memory_order_release);
  target_.store(target, std::memory_order_release);
  count_.store(count, std::memory_order_release);
  done_.store(0, std::memory_order_relaxed);
  error_ = nullptr;
  claim_.store((round + 1) << 32, std::memory_order_release);
  if (count > 1 && !team_.empty()) {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }
  work();
  for (int spin = 0;; ++spin) {
    const Index done = done_.load(std::memory_order_acquire);
    if (done == count) break;
    if (spin < spins_before_sleep) {
      pause_briefly();
    } else {
      done_.wait(done, std::memory_order_acquire);
    }
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Workers::work() {
  const FlushDenormals flush;
  std::uint64_t claim = claim_.load(std::memory_order_acquire);
  for (;;) {
    const Task task = task_.load(std::memory_order_acquire);
    void* target = target_.load(std::memory_order_acquire);
    const Index count = count_.load(std::memory_order_acquire);
    const auto i = static_cast<Index>(claim & 0xffffffffu);
    if (i >= count) return;
    // Succeeds only if nothing has changed: then the call i is still to be made, its round cannot
    // end before it is, and what was read above belongs to it.
    if (!claim_.compare_exchange_weak(claim, claim + 1, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      continue;
    }
    ++claim;
    try {
      task(target, i);
    } catch (...) {
      while (error_lock_.test_and_set(std::memory_order_acquire)) pause_briefly();
      if (!error_ || i < error_at_) {
        error_ = std::current_exception();
        error_at_ = i;
      }
      error_lock_.clear(std::memory_order_release);
    }
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) done_.notify_all();
  }
}

void Workers::member() {
  std::uint32_t seen = 0;
  for (;;) {
    std::uint32_t round = seen;
    for (int spin = 0; (round = round_.load(std::memory_order_acquire)) == seen; ++spin) {
      if (spin < spins_before_sleep) {
        pause_briefly();
      } else {
        round_.wait(seen, std::memory_order_acquire);
      }
    }
    seen = round;
    if (stop_) return;
    work();
  }
}

#if defined(__x86_64__)
FlushDenormals::FlushDenormals() noexcept : before_(_mm_getcsr()) {
  _mm_setcsr(static_cast<unsigned>(before_) | 0x8040u);  // flush to zero, denormals are zero
}
FlushDenormals::~FlushDenormals() { _mm_setcsr(static_cast<unsigned>(before_)); }
#elif defined(__aarch64__)
FlushDenormals::FlushDenormals() noexcept {
  asm volatile("mrs %0, fpcr" : "=r"(before_));
  asm volatile("msr fpcr, %0" ::"r"(before_ | (1ull << 24)));
}
FlushDenormals::~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before_)); }
#else
FlushDenormals::FlushDenormals() noexcept : before_(0) {}
FlushDenormals::~FlushDenormals() = default;
#endif

}  // namespace unroll::base
