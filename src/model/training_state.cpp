// What a Trainer knows beside one step: how a fit ends, and where numbers went wrong.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "src/model/trainer.h"

namespace unroll {

std::vector<double> Totals::numbers() const {
  std::vector<double> numbers{loss_, rows_};
  for (const auto& state : states_) numbers.insert(numbers.end(), state.begin(), state.end());
  return numbers;
}

void Totals::set_numbers(std::span<const double> numbers) {
  loss_ = numbers[0];
  rows_ = numbers[1];
  std::size_t next = 2;
  for (auto& state : states_) {
    for (double& value : state) value = numbers[next++];
  }
}

void Trainer::finalize() {
  // Before the first step there is no average yet.
  if (iterations_ == 0 || slots_.empty()) return;
  with_float(dtype_, [&]<class T>() {
    std::array<T*, 8> slots{};
    for (std::size_t i = 0; i < slots_.size(); ++i) slots[i] = static_cast<T*>(slots_[i].raw());
    unroll::finalize(options_.optimizer, flat_.size(), flat_.data<T>(),
                     std::span<T* const>(slots.data(), slots_.size()));
  });
  flat_.touch();
}

namespace {

/// A sum of differences from oneself is 0 exactly where all are finite, and the loop has no branch.
template <class T>
bool all_finite(const T* values, Index n) {
  T sum = 0;
  for (Index i = 0; i < n; ++i) sum += values[i] - values[i];
  return sum == T{0};
}

bool finite_value(const Var& value) {
  if (!value || value.dtype() == DType::int32 || value.dtype() == DType::uint8) return true;
  bool finite = true;
  with_float(value.dtype(),
             [&]<class T>() { finite = all_finite(value.data<T>(), value.elements()); });
  return finite;
}

bool finite_gradient(const Var& value) {
  if (!value || !value.needs_gradient() || !value.has_gradient()) return true;
  bool finite = true;
  with_float(value.dtype(),
             [&]<class T>() { finite = all_finite(value.gradient<T>(), value.elements()); });
  return finite;
}

}  // namespace

bool Trainer::weights_finite() {
  bool finite = true;
  with_float(dtype_, [&]<class T>() { finite = all_finite(flat_.data<T>(), flat_.size()); });
  return finite;
}

std::optional<NotFinite> Trainer::first_not_finite() const {
  const Index kept = lanes_kept_ ? running_lanes_ : 0;
  const auto lanes = std::span(lanes_).first(static_cast<std::size_t>(kept));
  const auto any = [&](const auto& wrong) {
    return std::ranges::any_of(lanes, [&](const auto& lane) { return wrong(*lane); });
  };
  for (std::size_t i = 0; i < graph_.inputs().size(); ++i) {
    const std::size_t slot = graph_.inputs()[i].slot;
    if (any([&](const Lane& lane) { return !finite_value(lane.value(slot)); })) {
      return NotFinite{"", "input " + std::to_string(i)};
    }
  }
  for (const GraphStep& step : graph_.steps()) {
    for (std::size_t i = 0; i < step.outputs; ++i) {
      const std::size_t slot = step.first_output + i;
      if (any([&](const Lane& lane) { return !finite_value(lane.value(slot)); })) {
        return NotFinite{step.layer->name, "output"};
      }
    }
  }
  // Gradients came back from the last layer to the first: the last one of a layer's weights or
  // inputs that is not finite came about there.
  for (auto step = graph_.steps().rbegin(); step != graph_.steps().rend(); ++step) {
    for (const Parameter* parameter : step->layer->parameters()) {
      const std::size_t position = parameter->position;
      if (any([&](const Lane& lane) { return !finite_gradient(lane.weight(position)); })) {
        return NotFinite{step->layer->name, "gradient of \"" + parameter->name() + "\""};
      }
    }
    for (const std::size_t slot : step->inputs) {
      if (any([&](const Lane& lane) { return !finite_gradient(lane.value(slot)); })) {
        return NotFinite{step->layer->name, "gradient of its input"};
      }
    }
  }
  for (const Parameter* parameter : graph_.parameters()) {
    bool finite = true;
    with_float(dtype_, [&]<class T>() {
      const auto values = parameter->value().values<T>();
      finite = all_finite(values.data(), static_cast<Index>(values.size()));
    });
    if (finite) continue;
    const auto owner = std::ranges::find_if(graph_.layers(), [&](const auto& layer) {
      const auto own = layer->parameters();
      return std::ranges::find(own, parameter) != own.end();
    });
    return NotFinite{(*owner)->name, "weight \"" + parameter->name() + "\""};
  }
  return std::nullopt;
}

}  // namespace unroll
