// Workers: the places where lanes run.
//
// run(n, f) calls f(0) .. f(n - 1), each exactly once, on any worker. What a call computes may
// depend on its number only, never on the worker: that is why the results are the same bits on any
// number of threads. Workers spin for a moment, then sleep: an idle pool costs nothing, and a
// machine with busy neighbours does not fall off a cliff. Denormals are flushed to zero inside
// run().
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "unroll/index.h"

namespace unroll::base {

/// The number of threads to use when nobody says: UNROLL_THREADS, or the processors that this
/// process may use (affinity and cgroup quota counted).
/// Throws: Error (value) where UNROLL_THREADS is not a count from 1 to 1024.
int default_threads();

/// A team of threads; the caller is one of it. Threads: run() from one caller at a time.
class Workers {
 public:
  explicit Workers(int threads = default_threads());
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const noexcept { return static_cast<int>(team_.size()) + 1; }

  /// Calls f(0) .. f(count - 1) and returns when all are done. Rethrows the exception of the lowest
  /// number that threw. Allocates nothing.
  template <class F>
  void run(Index count, F&& f) {
    using Target = std::remove_reference_t<F>;
    run_erased(
        count, [](void* target, Index i) { (*static_cast<Target*>(target))(i); },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

 private:
  using Task = void (*)(void*, Index);

  void run_erased(Index count, Task task, void* target);
  void work();
  void member();

  std::vector<std::thread> team_;
  // Of the present round; written before `claim_` announces it.
  std::atomic<Task> task_{nullptr};
  std::atomic<void*> target_{nullptr};
  std::atomic<Index> count_{0};
  /// Number of the round (upper half) and the next call to be made (lower half), in one word: who
  /// takes a call with a compare-and-swap knows that the round was still the one it had read about.
  std::atomic<std::uint64_t> claim_{0};
  std::atomic<Index> done_{0};
  std::atomic<std::uint32_t> round_{0};
  std::atomic<bool> stop_{false};
  std::atomic_flag error_lock_;
  std::exception_ptr error_;
  Index error_at_ = 0;
};

/// Flushes denormals to zero on this thread while it lives. A decaying state would otherwise reach
/// denormal numbers, and each operation on one costs a hundred times as much.
class FlushDenormals {
 public:
  FlushDenormals() noexcept;
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t before_;
};

}  // namespace unroll::base
