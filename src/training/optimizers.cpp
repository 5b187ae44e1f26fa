// The choice among optimisers, their slots, and what all of them do around a step.
#include "unroll/optimizers.h"

#include <algorithm>
#include <string>

#include "src/kernels/vector.h"
#include "src/training/numbers.h"
#include "src/training/steps.h"
#include "unroll/error.h"

namespace unroll {

Optimizer parse_optimizer(std::string_view name) {
  std::optional<Optimizer> found;
  std::string names;
  const auto look = [&]<class Option>(const Option& option) {
    for (const std::string_view known : Option::names) {
      if (known == name) found = Optimizer(option);
    }
    if (Option::class_name == name) found = Optimizer(option);
    names += (names.empty() ? "" : ", ") + std::string(Option::names[0]);
  };
  [&]<class... Options>(std::type_identity<std::variant<Options...>>) {
    (look(Options{}), ...);
  }(std::type_identity<OptimizerOptions>());
  if (found) return *found;
  throw Error(ErrorKind::value, "no optimizer has this name",
              {.got = '"' + std::string(name) + '"', .want = "one of " + names});
}

namespace {

void check_range(const Optimizer& optimizer, const char* option, bool inside, double got,
                 const char* want) {
  if (inside) return;
  throw Error(ErrorKind::value,
              std::string(optimizer.class_name()) + ": " + option + " is out of range",
              {.got = training::short_number(got), .want = want});
}

}  // namespace

void check(const Optimizer& optimizer) {
  std::visit(
      [&](const auto& o) {
        if (o.clipnorm.has_value() + o.clipvalue.has_value() + o.global_clipnorm.has_value() > 1) {
          throw Error(ErrorKind::value,
                      std::string(o.class_name) + ": gradients can be clipped in one way only",
                      {.want = "one of clipnorm, clipvalue and global_clipnorm"});
        }
        check_range(optimizer, "ema_momentum", o.ema_momentum >= 0 && o.ema_momentum <= 1,
                    o.ema_momentum, "0 to 1");
        if (o.ema_overwrite_frequency) {
          check_range(optimizer, "ema_overwrite_frequency", *o.ema_overwrite_frequency >= 1,
                      static_cast<double>(*o.ema_overwrite_frequency), "at least 1");
        }
        if (o.gradient_accumulation_steps) {
          check_range(optimizer, "gradient_accumulation_steps", *o.gradient_accumulation_steps >= 2,
                      static_cast<double>(*o.gradient_accumulation_steps), "at least 2");
        }
        if constexpr (requires { o.momentum; }) {
          check_range(optimizer, "momentum", o.momentum >= 0 && o.momentum <= 1, o.momentum,
                      "0 to 1");
        }
        if constexpr (requires { o.beta_1; }) {
          check_range(optimizer, "beta_1", o.beta_1 >= 0 && o.beta_1 < 1, o.beta_1,
                      "0 to less than 1");
          check_range(optimizer, "beta_2", o.beta_2 >= 0 && o.beta_2 < 1, o.beta_2,
                      "0 to less than 1");
        }
        const double rate = o.learning_rate.at(0);  // also refuses a schedule that cannot be
        check_range(optimizer, "learning_rate", rate >= 0, rate, "at least 0");
      },
      optimizer.options());
}

std::vector<std::string_view> slot_names(const Optimizer& optimizer) {
  std::vector<std::string_view> names;
  std::visit(
      [&](const auto& option) {
        for (const training::Slot& slot : training::slots(option)) names.push_back(slot.name);
        if (option.gradient_accumulation_steps) names.push_back("gradient_accumulator");
        if (option.use_ema) names.push_back("average");
      },
      optimizer.options());
  return names;
}

Index slot_count(const Optimizer& optimizer) noexcept {
  return std::visit(
      [](const auto& option) {
        return training::slots(option).size() + Index{option.use_ema} +
               Index{option.gradient_accumulation_steps.has_value()};
      },
      optimizer.options());
}

Index optimizer_size(const Optimizer& optimizer, Index parameters) noexcept {
  const Index product = std::holds_alternative<Nadam>(optimizer.options()) ? 1 : 0;
  const Index rate = optimizer.learning_rate().constant() ? 1 : 0;
  return slot_count(optimizer) * parameters + 1 + rate + product;
}

void initialize_slots(const Optimizer& optimizer, std::span<Tensor> slots) {
  const auto fill = [](Tensor& slot, double value) {
    if (slot.dtype() == DType::float64) {
      std::ranges::fill(slot.values<double>(), value);
    } else {
      std::ranges::fill(slot.values<float>(), static_cast<float>(value));
    }
  };
  std::visit(
      [&](const auto& option) {
        std::size_t i = 0;
        for (const training::Slot& slot : training::slots(option)) fill(slots[i++], slot.initial);
        if (option.gradient_accumulation_steps) fill(slots[i++], 0);
        if (option.use_ema) fill(slots[i], 0);
      },
      optimizer.options());
}

namespace {

/// The moving average after a batch, from 1; Keras moves it after every one, also of those whose
/// gradients are only gathered.
template <class Option, class T>
void average_weights(const Option& option, Index batch, Index n, T* w, std::span<T* const> slots) {
  if (!option.use_ema) return;
  const Index updates = (batch - 1) / option.gradient_accumulation_steps.value_or(1);
  T* average = slots.back();
  // It begins with the weights themselves.
  const T kept = updates == 0 ? T{0} : static_cast<T>(option.ema_momentum);
  kernels::scale_shift(n, kept, T{0}, average, average);
  kernels::add_scaled(n, 1 - kept, w, average);
  const Index every = option.ema_overwrite_frequency.value_or(0);
  if (every > 0 && (updates + 1) % every == 0) std::copy_n(average, n, w);
}

}  // namespace

template <class T>
void apply(const Optimizer& optimizer, Index iteration, Index n, const T* g, T* w,
           std::span<T* const> slots) {
  std::visit(
      [&](const auto& option) {
        const Index batches = option.gradient_accumulation_steps.value_or(1);
        const double rate = option.learning_rate.at(iteration * batches - 1);
        const double decay = std::optional<double>(option.weight_decay).value_or(0);
        if (decay != 0) kernels::add_scaled(n, static_cast<T>(-rate * decay), w, w);
        training::step(option, training::Step<T>{rate, iteration, n, g, w, slots});
        average_weights(option, iteration * batches, n, w, slots);
      },
      optimizer.options());
}

template <class T>
void average(const Optimizer& optimizer, Index batch, Index n, T* w, std::span<T* const> slots) {
  std::visit([&](const auto& option) { average_weights(option, batch, n, w, slots); },
             optimizer.options());
}

Index batches_per_step(const Optimizer& optimizer) noexcept {
  return std::visit([](const auto& o) { return o.gradient_accumulation_steps.value_or(1); },
                    optimizer.options());
}

template <class T>
bool accumulate(const Optimizer& optimizer, Index batch, Index n, T* g, std::span<T* const> slots) {
  const Index batches = batches_per_step(optimizer);
  if (batches == 1) return true;
  const bool averaged = std::visit([](const auto& o) { return o.use_ema; }, optimizer.options());
  T* gathered = slots[slots.size() - (averaged ? 2 : 1)];
  kernels::add_scaled(n, T{1}, g, gathered);
  if (batch % batches != 0) return false;
  kernels::scale_shift(n, 1 / static_cast<T>(batches), T{0}, gathered, g);
  std::fill_n(gathered, n, T{0});
  return true;
}

template <class T>
void finalize(const Optimizer& optimizer, Index n, T* w, std::span<T* const> slots) {
  const bool averaged = std::visit([](const auto& o) { return o.use_ema; }, optimizer.options());
  if (averaged) std::copy_n(slots.back(), n, w);
}

#define UNROLL_INSTANTIATE(T)                                                             \
  template void apply(const Optimizer&, Index, Index, const T*, T*, std::span<T* const>); \
  template bool accumulate(const Optimizer&, Index, Index, T*, std::span<T* const>);      \
  template void average(const Optimizer&, Index, Index, T*, std::span<T* const>);         \
  template void finalize(const Optimizer&, Index, T*, std::span<T* const>);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll
