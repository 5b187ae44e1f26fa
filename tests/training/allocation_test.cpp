// What a steady-state training step calls here must not allocate: operator new is counted.
#include <gtest/gtest.h>

#include <vector>

#include "tests/allocations.h"
#include "unroll/metrics.h"
#include "unroll/optimizers.h"

namespace unroll {
namespace {

constexpr Index samples = 70, n = 6;

struct Batch {
  std::vector<float> p = std::vector<float>(samples * n, 0.25f);
  std::vector<float> y = std::vector<float>(samples * n, 1.0f);
  std::vector<float> values = std::vector<float>(samples);
  std::vector<float> gradient = std::vector<float>(samples * n);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(samples, 1);
};

/// Calls f(Option{}) for each option of a variant.
template <class Variant, class F>
void for_each_option(F f) {
  [&]<class... Options>(std::type_identity<std::variant<Options...>>) {
    (f(Options{}), ...);
  }(std::type_identity<Variant>());
}

TEST_F(Allocation, LossesDoNot) {
  Batch b;
  for_each_option<LossOptions>([&]<class Option>(const Option& option) {
    if constexpr (!std::is_same_v<Option, CTC>) {
      const Loss loss = option;
      const long before = allocations;
      loss_values(loss, samples, n, b.y.data(), b.p.data(), b.values.data());
      loss_mask(loss, samples, b.y.data(), b.mask.data());
      const LossCounts counts = count_samples<float>(samples, b.mask.data(), nullptr);
      sample_scales<float>(loss, counts, samples, b.mask.data(), nullptr, b.values.data());
      loss_gradient(loss, samples, n, b.y.data(), b.p.data(), b.values.data(), b.gradient.data());
      EXPECT_EQ(allocations, before) << Option::class_name;
    }
  });
}

TEST_F(Allocation, MetricsDoNot) {
  Batch b;
  // Without Loss, which has no default.
  using Options =
      std::variant<Accuracy, BinaryAccuracy, CategoricalAccuracy, Mean, RootMeanSquaredError,
                   PearsonCorrelation, TopKCategoricalAccuracy, Precision, Recall, TruePositives,
                   SensitivityAtSpecificity, AUC, F1Score, FBetaScore, R2Score, MeanAbsoluteError,
                   SymmetricMeanAbsolutePercentageError, LogCosh>;
  for_each_option<Options>([&]<class Option>(const Option& option) {
    const Metric metric = resolve(option, "mse", n);
    std::vector<double> state(static_cast<std::size_t>(metric_state_size(metric))), sum = state;
    const long before = allocations;
    metric_update(metric, samples, n, b.y.data(), b.p.data(), b.values.data(),
                  std::span<double>(state));
    metric_add(sum, state);
    metric_result(metric, sum);
    EXPECT_EQ(allocations, before) << Option::class_name;
  });
}

TEST_F(Allocation, OptimizersDoNot) {
  Batch b;
  for_each_option<OptimizerOptions>([&]<class Option>(Option option) {
    option.clipnorm = 0.1;
    option.use_ema = true;
    const Optimizer optimizer = option;
    std::vector<std::vector<float>> slots(static_cast<std::size_t>(slot_count(optimizer)),
                                          std::vector<float>(samples * n, 0.1f));
    std::vector<float*> rows;
    for (auto& slot : slots) rows.push_back(slot.data());
    const GradientRange<float> ranges[] = {{b.gradient.data(), samples * n}};
    const long before = allocations;
    clip<float>(optimizer, ranges);
    apply<float>(optimizer, 3, samples * n, b.gradient.data(), b.p.data(), rows);
    EXPECT_EQ(allocations, before) << Option::class_name;
  });
}

}  // namespace
}  // namespace unroll
