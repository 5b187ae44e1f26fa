// Laws of every registered loss, metric and optimiser.
#include <gtest/gtest.h>

#include <cmath>

#include "src/autograd/dispatch.h"
#include "tests/laws/rig.h"
#include "unroll/losses.h"
#include "unroll/metrics.h"
#include "unroll/optimizers.h"

namespace unroll {
namespace {

/// Calls f(Option{}) for each option struct of a variant that has a default.
template <class Variant, class F>
void for_each_option(const F& f) {
  const auto one = [&]<class Option>(std::type_identity<Option>) {
    if constexpr (!std::is_same_v<Option, Loss>) f(Option{});
  };
  [&]<class... Options>(std::type_identity<std::variant<Options...>>) {
    (one(std::type_identity<Options>()), ...);
  }(std::type_identity<Variant>());
}

constexpr Index samples = 24, n = 6;

/// Truths and predictions in (0, 1), which every loss can read; labels where it reads those. CTC
/// sees 4 rows of 6 steps.
template <class T>
struct Batch {
  std::vector<T> y, p, weight;

  explicit Batch(const Loss& loss) : Batch(takes_labels(loss), target_size(loss, n)) {
    if (!std::holds_alternative<CTC>(loss.options())) return;
    y = {1, 2, 0, 3, 3, 0, 5, 1, 4, 2, 0, 0};
  }
  Batch(bool labels, Index truths) {
    const Tensor all = noise({3, samples * n}, 900);
    for (Index i = 0; i < samples * n; ++i) {
      p.push_back(static_cast<T>(0.5 + 0.45 * all.at({0, i})));
      if (!labels && i < samples * truths) y.push_back(static_cast<T>(0.5 + 0.45 * all.at({1, i})));
      if (labels && i < samples) y.push_back(static_cast<T>((i * 5 + 1) % n));
      if (i < samples) weight.push_back(static_cast<T>(1.5 + all.at({2, i})));
    }
  }
};

constexpr Index ctc_rows = 4;

/// Values (and, where asked for, gradients along dvalues) of samples [first, last).
template <class T>
std::vector<T> values_of(const Loss& loss, const Batch<T>& b, Index first, Index last,
                         const T* dvalues = nullptr, T* dp = nullptr) {
  std::vector<T> values(static_cast<std::size_t>(last - first));
  if (std::holds_alternative<CTC>(loss.options())) {
    constexpr Index steps = samples / ctc_rows, length = 3;
    std::vector<T> scratch(static_cast<std::size_t>(ctc_scratch_size(steps, n, length)));
    const auto batch =
        CtcBatch<T>::row_by_row(last - first, steps, n, b.p.data() + first * steps * n, length,
                                b.y.data() + first * length);
    ctc_values(batch, values.data(), scratch.data());
    if (dp != nullptr) ctc_gradient(batch, dvalues, dp, scratch.data());
    return values;
  }
  const T *y = b.y.data() + first * target_size(loss, n), *p = b.p.data() + first * n;
  loss_values(loss, last - first, n, y, p, values.data());
  if (dp != nullptr) loss_gradient(loss, last - first, n, y, p, dvalues, dp);
  return values;
}

Index count_of(const Loss& loss) {
  return std::holds_alternative<CTC>(loss.options()) ? ctc_rows : samples;
}

TEST(Losses, GradientsAreThoseOfCentralDifferences) {
  for_each_option<LossOptions>([](const auto& option) {
    const Loss loss = option;
    const Index count = count_of(loss);
    Batch<double> b(loss);
    std::vector<double> dvalues;
    for (Index s = 0; s < count; ++s) dvalues.push_back(std::cos(static_cast<double>(s)));
    std::vector<double> got(b.p.size(), 1);  // gradients are added
    values_of(loss, b, 0, count, dvalues.data(), got.data());
    const auto total = [&] {
      const std::vector<double> values = values_of(loss, b, 0, count);
      double sum = 0;
      for (std::size_t s = 0; s < values.size(); ++s) sum += dvalues[s] * values[s];
      return sum;
    };
    double worst = 0;
    for (std::size_t i = 0; i < b.p.size(); ++i) {
      constexpr double step = 1e-6;
      const double before = b.p[i];
      b.p[i] = before + step;
      const double above = total();
      b.p[i] = before - step;
      const double below = total();
      b.p[i] = before;
      const double want = (above - below) / (2 * step), size = std::max(1.0, std::abs(want));
      worst = std::max(worst, std::abs(got[i] - 1 - want) / size);
    }
    note_gradient_error(std::string(loss.class_name()), worst);
    EXPECT_LT(worst, 1e-6) << loss.class_name();
  });
}

TEST(Losses, PartsOfABatchAreTheWholeAndFloatIsCloseToDouble) {
  for_each_option<LossOptions>([](const auto& option) {
    const Loss loss = option;
    const Index count = count_of(loss), cut = count / 4;
    const Batch<double> exact(loss);
    const Batch<float> rough(loss);
    const auto whole = values_of(loss, exact, 0, count);
    auto parts = values_of(loss, exact, 0, cut);
    const auto rest = values_of(loss, exact, cut, count);
    parts.insert(parts.end(), rest.begin(), rest.end());
    EXPECT_EQ(parts, whole) << loss.class_name();
    const auto in_float = values_of(loss, rough, 0, count);
    for (std::size_t s = 0; s < whole.size(); ++s) {
      EXPECT_NEAR(in_float[s], whole[s], 1e-4 * (1 + std::abs(whole[s]))) << loss.class_name();
    }
  });
}

TEST(Losses, AreFoundByEveryName) {
  for_each_option<LossOptions>([]<class Option>(const Option& option) {
    EXPECT_EQ(parse_loss(Option::class_name).class_name(), Option::class_name);
    for (const std::string_view name : Option::names) {
      EXPECT_EQ(parse_loss(name).class_name(), Option::class_name) << name;
    }
    EXPECT_NO_THROW(check(Loss(option)));
  });
}

/// Every metric, and every loss as one, but for CTC, which reads whole rows.
template <class F>
void for_each_metric(const F& f) {
  for_each_option<MetricOptions>([&](const auto& option) { f(Metric(option)); });
  for_each_option<LossOptions>([&]<class Option>(const Option& option) {
    if constexpr (!std::is_same_v<Option, CTC>) f(Metric(option));
  });
}

/// The loss beside which a metric can read the targets.
Loss partner(const Metric& metric) {
  if (const auto* loss = std::get_if<Loss>(&metric.options())) return *loss;
  return reads_labels(metric) ? Loss("sparse_categorical_crossentropy") : Loss("mse");
}

template <class T>
std::vector<double> seen(const Metric& metric, const Batch<T>& b, Index first, Index last,
                         const T* weight) {
  std::vector<double> state(static_cast<std::size_t>(metric_state_size(metric)));
  const Index truths = static_cast<Index>(b.y.size()) / samples;
  metric_update(metric, last - first, n, b.y.data() + first * truths, b.p.data() + first * n,
                weight == nullptr ? nullptr : weight + first, std::span<double>(state));
  return state;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want, double allowed,
                 std::string_view what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], allowed * (1 + std::abs(want[i]))) << what << '[' << i << ']';
  }
}

TEST(Metrics, StatesOfPartsAddToThatOfTheWhole) {
  for_each_metric([](const Metric& given) {
    const Loss loss = partner(given);
    const Metric metric = resolve(given, loss, n);
    const Batch<double> b(loss);
    const auto whole = seen(metric, b, 0, samples, b.weight.data());
    auto parts = seen(metric, b, 0, 7, b.weight.data());
    metric_add(parts, seen(metric, b, 7, samples, b.weight.data()));
    expect_near(parts, whole, 1e-13, given.class_name());
    EXPECT_TRUE(std::isfinite(metric_result(metric, whole))) << given.class_name();
    EXPECT_EQ(metric_result(metric, std::vector<double>(whole.size())), 0) << given.class_name();
    const auto values = metric_values(metric, whole);
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    EXPECT_NEAR(metric_result(metric, whole), mean, 1e-13 * (1 + std::abs(mean)));
  });
}

TEST(Metrics, FloatIsCloseToDouble) {
  for_each_metric([](const Metric& given) {
    const Loss loss = partner(given);
    const Metric metric = resolve(given, loss, n);
    const Batch<double> exact(loss);
    const Batch<float> rough(loss);
    expect_near({metric_result(metric, seen(metric, rough, 0, samples, rough.weight.data()))},
                {metric_result(metric, seen(metric, exact, 0, samples, exact.weight.data()))}, 1e-4,
                given.class_name());
  });
}

TEST(Metrics, WeightsAreHowOftenASampleIsSeen) {
  for_each_metric([](const Metric& given) {
    const bool counts_samples = std::holds_alternative<R2Score>(given.options());
    const Loss loss = partner(given);
    const Metric metric = resolve(given, loss, n);
    const Batch<double> b(loss);
    std::vector<double> weight(samples, 0);
    for (Index s = 0; s < 9; ++s) weight[static_cast<std::size_t>(s)] = s < 4 ? 2 : 1;
    auto often = seen<double>(metric, b, 0, 4, nullptr);
    metric_add(often, seen<double>(metric, b, 0, 9, nullptr));
    auto weighted = seen(metric, b, 0, samples, weight.data());
    if (counts_samples) weighted.back() = often.back();  // R2's adjustment counts them all
    expect_near(weighted, often, 1e-13, given.class_name());
  });
}

TEST(Metrics, AreFoundByEveryName) {
  for_each_option<MetricOptions>([]<class Option>(const Option&) {
    EXPECT_EQ(parse_metric(Option::class_name).class_name(), Option::class_name);
    if constexpr (!std::is_same_v<Option, Accuracy>) {  // "accuracy" is whichever fits
      for (const std::string_view name : Option::names) {
        EXPECT_EQ(parse_metric(name).class_name(), Option::class_name) << name;
      }
    }
  });
}

/// Every optimiser as it is, and with all that goes on around a step.
template <class F>
void for_each_optimizer(const F& f) {
  for_each_option<OptimizerOptions>([&](auto option) {
    f(Optimizer(option));
    option.weight_decay = 0.01;
    option.use_ema = true;
    option.ema_overwrite_frequency = 3;
    if constexpr (requires { option.momentum; }) option.momentum = 0.9;
    if constexpr (requires { option.nesterov; }) option.nesterov = true;
    if constexpr (requires { option.amsgrad; }) option.amsgrad = true;
    if constexpr (requires { option.centered; }) option.centered = true;
    f(Optimizer(option));
  });
}

/// A vector of weights that is moved along gradients that are the same every time.
template <class T>
struct Descent {
  Descent(const Optimizer& given, Index size) : optimizer(given) {
    w = noise({size}, 950, 1, dtype_of<T>);
    for (Index i = 0; i < slot_count(given); ++i) slots.emplace_back(Shape{size}, dtype_of<T>);
    initialize_slots(given, slots);
  }

  void step(Index iteration, Index part, double size_of_gradient = 1) {
    Tensor g = noise(w.shape(), 960 + static_cast<std::uint64_t>(iteration), size_of_gradient,
                     dtype_of<T>);
    const Index size = w.elements();
    for (Index first = 0; first < size; first += part) {
      std::vector<T*> rows;
      for (Tensor& slot : slots) rows.push_back(slot.template values<T>().data() + first);
      apply<T>(optimizer, iteration, std::min(part, size - first),
               g.template values<T>().data() + first, w.template values<T>().data() + first, rows);
    }
  }

  Optimizer optimizer;
  Tensor w;
  std::vector<Tensor> slots;
};

TEST(Optimizers, DoNotSeeHowTheVectorIsCut) {
  for_each_optimizer([](const Optimizer& optimizer) {
    Descent<float> whole(optimizer, 37), parts(optimizer, 37);
    const Tensor start = whole.w.clone();
    for (Index t = 1; t <= 5; ++t) {
      whole.step(t, 37);
      parts.step(t, 4);
    }
    EXPECT_EQ(distance(whole.w, parts.w), 0) << optimizer.class_name();
    EXPECT_GT(distance(whole.w, start), 0) << optimizer.class_name();
    for (std::size_t i = 0; i < whole.slots.size(); ++i) {
      EXPECT_EQ(distance(whole.slots[i], parts.slots[i]), 0) << optimizer.class_name();
    }
  });
}

TEST(Optimizers, FloatIsCloseToDouble) {
  for_each_optimizer([](const Optimizer& optimizer) {
    Descent<float> rough(optimizer, 21);
    Descent<double> exact(optimizer, 21);
    for (Index t = 1; t <= 8; ++t) {
      rough.step(t, 21);
      exact.step(t, 21);
    }
    EXPECT_LT(distance(rough.w, exact.w), 1e-5) << optimizer.class_name();
  });
}

TEST(Optimizers, WithoutAGradientWeightsStay) {
  for_each_option<OptimizerOptions>([]<class Option>(Option option) {
    // What decays moves without a gradient; follow-the-leader begins from no weights at all.
    if constexpr (std::is_same_v<Option, AdamW>) option.weight_decay = 0;
    Descent<double> still(option, 9);
    const Tensor start = still.w.clone();
    for (Index t = 1; t <= 3; ++t) still.step(t, 9, 0);
    if constexpr (std::is_same_v<Option, Ftrl>) {
      EXPECT_EQ(magnitude(still.w), 0);
    } else {
      EXPECT_EQ(distance(still.w, start), 0) << Option::class_name;
    }
  });
}

TEST(Optimizers, DecayIsTowardsZeroByRateTimesDecay) {
  for_each_option<OptimizerOptions>([]<class Option>(Option option) {
    if constexpr (std::is_same_v<Option, Ftrl>) return;
    option.learning_rate = 0.5;
    option.weight_decay = 0.1;
    Descent<double> decayed(option, 9);
    const Tensor start = decayed.w.clone();
    decayed.step(1, 9, 0);
    for (Index i = 0; i < 9; ++i) {
      EXPECT_NEAR(decayed.w.at({i}), 0.95 * start.at({i}), 1e-15) << Option::class_name;
    }
  });
}

TEST(Optimizers, KeepWhatTheySay) {
  for_each_optimizer([](const Optimizer& optimizer) {
    EXPECT_EQ(static_cast<Index>(slot_names(optimizer).size()), slot_count(optimizer));
    EXPECT_EQ(parse_optimizer(optimizer.class_name()).class_name(), optimizer.class_name());
    EXPECT_EQ(parse_optimizer(optimizer.name()).class_name(), optimizer.class_name());
    EXPECT_NO_THROW(check(optimizer));
    // Keras counts slots, the step, a constant rate; Nadam keeps one product more.
    const Index product = optimizer.class_name() == "Nadam" ? 1 : 0;
    EXPECT_EQ(optimizer_size(optimizer, 100), 100 * slot_count(optimizer) + 2 + product);
  });
}

}  // namespace
}  // namespace unroll
