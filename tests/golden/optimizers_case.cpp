// optimizers.json: weights after each step under given gradients. schedules.json: learning rates.
#include "src/autograd/dispatch.h"
#include "tests/golden/cases.h"
#include "tests/golden/options.h"

namespace unroll::golden {

namespace {

/// All numbers of a list of variables, one after another.
template <class T>
std::vector<T> flat(const Json& variables) {
  std::vector<T> all;
  for (const Json& variable : variables) {
    const Tensor numbers = tensor_of(variable, dtype_of<T>);
    all.insert(all.end(), numbers.values<T>().begin(), numbers.values<T>().end());
  }
  return all;
}

template <class T>
Tensor vector_of(const std::vector<T>& numbers) {
  return Tensor::of<T>({static_cast<Index>(numbers.size())}, numbers);
}

template <class T>
class Descent {
 public:
  Descent(const Json& spec, const Optimizer& optimizer)
      : spec_(spec), optimizer_(optimizer), w_(flat<T>(spec.at("initial"))), g_(w_.size()) {
    for (Index i = 0; i < slot_count(optimizer); ++i) {
      slots_.emplace_back(Shape{static_cast<Index>(w_.size())}, dtype_of<T>);
    }
    initialize_slots(optimizer, slots_);
    T* at = g_.data();
    for (const Json& variable : spec.at("initial")) {
      ranges_.push_back({at, tensor_of(variable).elements()});
      at += ranges_.back().size;
    }
    for (Tensor& slot : slots_) rows_.push_back(slot.template values<T>().data());
  }

  void run(Comparison& comparison, const Tolerance& allowed) {
    const DType dtype = dtype_of<T>;
    Index step = 0;
    for (const Json& gradient : spec_.at("gradients")) {
      g_ = flat<T>(gradient);
      // The ranges point into the vector, whose place has changed.
      T* at = g_.data();
      for (auto& range : ranges_) range.data = std::exchange(at, at + range.size);
      ++step;
      const std::string after = " after step " + std::to_string(step);
      comparison.close("learning rate" + after, optimizer_.learning_rate().at(step - 1),
                       number_of(spec_.at(key_of("lr_at_step", dtype))[at_step(step)]),
                       {1e-6, 1e-9});
      update(step);
      comparison.close(
          "weights" + after, vector_of(w_),
          vector_of(flat<T>(spec_.at(key_of("params_after_step", dtype))[at_step(step)])), allowed);
    }
    if (step != spec_.value("iterations_end", step)) comparison.fail("another number of steps");
    const std::string finalized = key_of("params_finalized", dtype);
    if (!spec_.contains(finalized)) return;
    finalize<T>(optimizer_, static_cast<Index>(w_.size()), w_.data(), rows_);
    comparison.close("finalized", vector_of(w_), vector_of(flat<T>(spec_.at(finalized))), allowed);
  }

 private:
  static std::size_t at_step(Index step) { return static_cast<std::size_t>(step - 1); }

  void update(Index step) {
    const auto n = static_cast<Index>(w_.size());
    if (!accumulate<T>(optimizer_, step, n, g_.data(), rows_)) {
      average<T>(optimizer_, step, n, w_.data(), rows_);
      return;
    }
    clip<T>(optimizer_, ranges_);
    const Index iteration = step / batches_per_step(optimizer_);
    // In parts, as several threads would.
    constexpr Index part = 7;
    for (Index first = 0; first < n; first += part) {
      std::vector<T*> rows;
      for (T* row : rows_) rows.push_back(row + first);
      apply<T>(optimizer_, iteration, std::min(part, n - first), g_.data() + first,
               w_.data() + first, rows);
    }
  }

  const Json& spec_;
  Optimizer optimizer_;
  std::vector<T> w_, g_;
  std::vector<Tensor> slots_;
  std::vector<T*> rows_;
  std::vector<GradientRange<T>> ranges_;
};

}  // namespace

void run_optimizer(const Json& spec, DType dtype, Comparison& comparison) {
  const auto class_name = spec.at("class_name").get<std::string>();
  const Optimizer optimizer =
      with_options(parse_or_skip(parse_optimizer, class_name), spec.at("kwargs"));
  check(optimizer);
  if (spec.contains("config")) {
    // What Keras writes into files must be readable, and say the same.
    Json config = spec.at("config").at("config");
    with_options(parse_optimizer(class_name), config);
  }
  with_float(dtype, [&]<class T>() {
    Descent<T>(spec, optimizer).run(comparison, tolerances_of("optimizers", dtype).gradients);
  });
}

void run_schedule(const Json& spec, DType dtype, Comparison& comparison) {
  const LearningRate rate = rate_of(spec);
  std::vector<double> got;
  for (const Json& step : spec.at("steps")) got.push_back(rate.at(step.get<Index>()));
  // Rates are computed in double; those recorded in float32 are rounded.
  comparison.close(key_of("lr", dtype), vector_of(got), tensor_of(spec.at(key_of("lr", dtype))),
                   tolerances_of("schedules", dtype).outputs);
}

}  // namespace unroll::golden
