// From the lanes' gradients to new weights: one fixed tree of sums, one pass of the optimiser.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/kernels/rows.h"
#include "src/kernels/vector.h"
#include "src/model/trainer.h"

namespace unroll {

namespace {
constexpr Index chunk = 4096;  // numbers that one worker reduces and updates at a time
constexpr std::size_t most_slots = 8;
}  // namespace

void Trainer::update() {
  with_float(dtype_, [&]<class T>() { update_as<T>(running_lanes_); });
  for (const WeightRange& range : flat_.ranges()) {
    Tensor weights = range.parameter->value();  // shares the flat vector's numbers
    apply_constraint(range.parameter->constraint(), weights);
  }
  flat_.touch();
}

/// Lane 0 receives the sum: ((0 + 1) + (2 + 3)) + ..., whatever thread does it.
template <class T>
void Trainer::reduce(Index lanes, Index first, Index last) {
  for (Index step = 1; step < lanes; step *= 2) {
    for (Index i = 0; i + step < lanes; i += 2 * step) {
      T* into = results_[static_cast<std::size_t>(i)].gradient.template dense<T>() + first;
      const T* from =
          results_[static_cast<std::size_t>(i + step)].gradient.template dense<T>() + first;
      kernels::add(last - first, into, from, into);
    }
  }
}

/// f(some rows, numbers in each), lane by lane.
template <class F>
void Trainer::for_sparse(Index lanes, F f) const {
  for (Index lane = 0; lane < lanes; ++lane) {
    const LaneGradient& gradient = results_[static_cast<std::size_t>(lane)].gradient;
    for (std::size_t i = 0; i < gradient.sparse_count(); ++i) {
      const LaneGradient::Sparse sparse = gradient.sparse(i);
      f(sparse, graph_.parameters()[sparse.parameter]->shape()[1]);
    }
  }
}

/// Adds the lanes' rows of the tables, lane by lane, into the part of each table that is this
/// worker's. The order of additions to a row is that of the lanes, however many parts there are.
template <class T>
void Trainer::add_sparse_rows(Index lanes, Index part, Index parts) {
  T* gradient = static_cast<T*>(sparse_gradient_.raw());
  for_sparse(lanes, [&](const LaneGradient::Sparse& sparse, Index width) {
    T* rows = gradient + flat_.offset(sparse.parameter) - flat_.dense_size();
    const T* d = reinterpret_cast<const T*>(sparse.rows);
    const auto count = static_cast<Index>(sparse.ids.size());
    kernels::scatter_add_rows(width, d, sparse.ids.data(), count, rows, part, parts);
  });
}

template <class T>
void Trainer::clear_sparse_rows(Index lanes) {
  T* gradient = static_cast<T*>(sparse_gradient_.raw());
  for_sparse(lanes, [&](const LaneGradient::Sparse& sparse, Index width) {
    T* rows = gradient + flat_.offset(sparse.parameter) - flat_.dense_size();
    for (const Index id : sparse.ids) std::fill_n(rows + id * width, width, T{0});
  });
}

/// The sum of the weights' penalties; while training their gradients are added in update_as.
template <class T>
double Trainer::penalties() {
  double total = 0;
  for (const Parameter* parameter : graph_.parameters()) {
    const Regularizer& penalty = parameter->regularizer();
    if (!penalty) continue;
    for (T w : parameter->value().values<T>()) {
      const auto value = static_cast<double>(w);
      total += penalty.l1 * std::abs(value) + penalty.l2 * value * value;
    }
  }
  return total;
}

template double Trainer::penalties<float>();
template double Trainer::penalties<double>();

namespace {

template <class T>
void add_penalty(const Regularizer& penalty, Index n, const T* w, T* g) {
  for (Index i = 0; i < n; ++i) {
    const T sign = static_cast<T>((w[i] > 0) - (w[i] < 0));
    g[i] += static_cast<T>(penalty.l1) * sign + static_cast<T>(2 * penalty.l2) * w[i];
  }
}

}  // namespace

template <class T>
void Trainer::update_as(Index lanes) {
  const Index dense = flat_.dense_size(), size = flat_.size();
  if (sparse_gradient_.elements() != size - dense || sparse_gradient_.dtype() != dtype_) {
    sparse_gradient_ = Tensor({size - dense}, dtype_);
  }
  T* dense_gradient = results_[0].gradient.dense<T>();
  T* table_gradient = static_cast<T*>(sparse_gradient_.raw());
  T* weights = flat_.data<T>();
  const auto gradient_at = [&](Index i) {
    return i < dense ? dense_gradient + i : table_gradient + (i - dense);
  };

  if (size > dense) {
    const Index parts = workers_.threads();
    workers_.run(parts, [&](Index part) { add_sparse_rows<T>(lanes, part, parts); });
    for (Tabulated& table : running_tables_) {
      table.finish(flat_, dense_gradient, table_gradient, workers_);
    }
  }
  // Chunks never cross from dense weights to tables: their gradients lie in different places.
  const Index dense_chunks = (dense + chunk - 1) / chunk;
  const Index chunks = dense_chunks + (size - dense + chunk - 1) / chunk;
  const auto bounds = [&](Index i) {
    const bool in_tables = i >= dense_chunks;
    const Index first = in_tables ? dense + (i - dense_chunks) * chunk : i * chunk;
    return std::pair(first, std::min(first + chunk, in_tables ? size : dense));
  };
  const auto slots_at = [&](Index first, std::array<T*, most_slots>& place) {
    for (std::size_t s = 0; s < slots_.size(); ++s) {
      place[s] = static_cast<T*>(slots_[s].raw()) + first;
    }
    return std::span<T* const>(place.data(), slots_.size());
  };
  const Index batches = batches_per_step(options_.optimizer);
  const bool due = iterations_ % batches == 0;
  const auto step = [&](Index first, Index last) {
    std::array<T*, most_slots> place{};
    apply(options_.optimizer, iterations_ / batches, last - first, gradient_at(first),
          weights + first, slots_at(first, place));
  };

  const bool regularized = std::ranges::any_of(
      flat_.ranges(), [](const WeightRange& r) { return bool(r.parameter->regularizer()); });
  if (!regularized && !clips(options_.optimizer) && batches == 1) {
    workers_.run(chunks, [&](Index i) {
      const auto [first, last] = bounds(i);
      if (first < dense) reduce<T>(lanes, first, last);
      step(first, last);
    });
  } else {
    workers_.run(dense_chunks, [&](Index i) {
      const auto [first, last] = bounds(i);
      reduce<T>(lanes, first, last);
    });
    for (const WeightRange& range : flat_.ranges()) {
      const Regularizer& penalty = range.parameter->regularizer();
      if (penalty) {
        add_penalty(penalty, range.size, weights + range.offset, gradient_at(range.offset));
      }
    }
    workers_.run(batches > 1 ? chunks : 0, [&](Index i) {
      const auto [first, last] = bounds(i);
      std::array<T*, most_slots> place{};
      accumulate(options_.optimizer, iterations_, last - first, gradient_at(first),
                 slots_at(first, place));
    });
    auto& gradients = std::get<std::vector<GradientRange<T>>>(clipped_);
    gradients.clear();
    for (const WeightRange& range : flat_.ranges()) {
      gradients.push_back({gradient_at(range.offset), range.size});
    }
    if (due) clip(options_.optimizer, std::span<const GradientRange<T>>(gradients));
    workers_.run(chunks, [&](Index i) {
      const auto [first, last] = bounds(i);
      std::array<T*, most_slots> place{};
      if (due) {
        step(first, last);
      } else {
        average(options_.optimizer, iterations_, last - first, weights + first,
                slots_at(first, place));
      }
    });
  }
  if (size > dense) {
    if (regularized || batches > 1) {
      std::memset(sparse_gradient_.raw(), 0, static_cast<std::size_t>(sparse_gradient_.bytes()));
    } else {
      clear_sparse_rows<T>(lanes);
      for (Tabulated& table : running_tables_) table.clear(flat_, table_gradient);
    }
  }
}

}  // namespace unroll
