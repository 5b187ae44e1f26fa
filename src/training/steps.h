// The step of each optimiser, one overload an option struct; optimizers.cpp chooses among them.
#pragma once

#include "unroll/optimizers.h"

namespace unroll::training {

/// A vector that an optimiser keeps: Keras's name, and the value of all its numbers at first.
struct Slot {
  std::string_view name;
  double initial = 0;
};

/// The slots of some options: three at most.
class Slots {
 public:
  void add(std::string_view name, double initial = 0) noexcept {
    slots_[static_cast<std::size_t>(size_++)] = {name, initial};
  }
  Index size() const noexcept { return size_; }
  const Slot* begin() const noexcept { return slots_.data(); }
  const Slot* end() const noexcept { return slots_.data() + size_; }

 private:
  std::array<Slot, 3> slots_{};
  Index size_ = 0;
};

/// One step of n weights.
template <class T>
struct Step {
  double rate = 0;
  Index iteration = 1;
  Index n = 0;
  const T* g = nullptr;
  T* w = nullptr;
  std::span<T* const> slots = {};
};

#define UNROLL_STEP(Option)              \
  Slots slots(const Option& o) noexcept; \
  template <class T>                     \
  void step(const Option& o, const Step<T>& s)

UNROLL_STEP(SGD);
UNROLL_STEP(RMSprop);
UNROLL_STEP(Adam);
UNROLL_STEP(AdamW);
UNROLL_STEP(Adamax);
UNROLL_STEP(Nadam);
UNROLL_STEP(Adagrad);
UNROLL_STEP(Adadelta);
UNROLL_STEP(Ftrl);
UNROLL_STEP(Lion);
#undef UNROLL_STEP

/// For the files that define them.
#define UNROLL_INSTANTIATE_STEP(Option)                  \
  template void step(const Option&, const Step<float>&); \
  template void step(const Option&, const Step<double>&)

}  // namespace unroll::training
