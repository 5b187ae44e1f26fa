// Losses: gradients against difference quotients, reductions, refusals. Keras's numbers are in
// tests/golden.
#include "unroll/losses.h"

#include "tests/training/close.h"

namespace unroll {
namespace {

/// Options under test, each with targets that suit it.
struct Law {
  Loss loss;
  enum { any, probabilities, signs, one_hot, labels, halves } targets;
};
const Law laws[] = {
    {MeanSquaredError{}, Law::any},
    {MeanAbsoluteError{}, Law::any},
    {MeanAbsolutePercentageError{}, Law::any},
    {MeanSquaredLogarithmicError{}, Law::probabilities},
    {Huber{.delta = 0.3}, Law::any},
    {LogCosh{}, Law::any},
    {Quantile{.quantile = 0.9}, Law::any},
    {SymmetricMeanAbsolutePercentageError{}, Law::any},
    {MeanAbsoluteScaledError{.scale = 1.5}, Law::any},
    {GaussianNegativeLogLikelihood{}, Law::halves},
    {StudentTNegativeLogLikelihood{.degrees_of_freedom = 3.5}, Law::halves},
    {Poisson{}, Law::probabilities},
    {KLDivergence{}, Law::probabilities},
    {CosineSimilarity{}, Law::any},
    {Hinge{}, Law::signs},
    {Hinge{}, Law::one_hot},
    {SquaredHinge{}, Law::signs},
    {CategoricalHinge{}, Law::one_hot},
    {BinaryCrossentropy{.label_smoothing = 0.1}, Law::probabilities},
    {BinaryCrossentropy{.from_logits = true}, Law::probabilities},
    {BinaryFocalCrossentropy{}, Law::one_hot},
    {BinaryFocalCrossentropy{.apply_class_balancing = true, .gamma = 1.5, .from_logits = true},
     Law::one_hot},
    {CategoricalCrossentropy{.label_smoothing = 0.1}, Law::one_hot},
    {CategoricalCrossentropy{.from_logits = true, .label_smoothing = 0.1}, Law::one_hot},
    {CategoricalFocalCrossentropy{}, Law::one_hot},
    {CategoricalFocalCrossentropy{.gamma = 1.5, .from_logits = true}, Law::one_hot},
    {SparseCategoricalCrossentropy{}, Law::labels},
    {SparseCategoricalCrossentropy{.from_logits = true, .ignore_class = 2}, Law::labels},
    {SparseCategoricalCrossentropy{.label_smoothing = 0.1}, Law::labels},
    {SparseCategoricalCrossentropy{.from_logits = true, .label_smoothing = 0.1}, Law::labels},
};

TEST(Losses, GradientsAreDifferenceQuotientsAndAreAdded) {
  constexpr Index samples = 5, n = 4;
  for (const Law& law : laws) {
    SCOPED_TRACE(law.loss.class_name());
    std::vector<double> y, p, dvalues;
    for (Index i = 0; i < samples * n; ++i) {
      const double wave = std::sin(1.7 * double(i) + 0.4);
      p.push_back(0.5 + 0.4 * std::sin(2.9 * double(i)));
      y.push_back(law.targets == Law::any             ? 2 * wave
                  : law.targets == Law::probabilities ? 0.5 + 0.4 * wave
                  : law.targets == Law::signs         ? (wave > 0 ? 1 : -1)
                                                      : double(i % n == (i / n * 3 + 1) % n));
    }
    if (law.targets == Law::labels) y = {1, 0, 3, 2, 2};
    if (law.targets == Law::halves) y.resize(samples * n / 2);
    for (Index s = 0; s < samples; ++s) dvalues.push_back(std::cos(double(s)));
    std::vector<double> got(p.size(), 1);
    loss_gradient(law.loss, samples, n, y.data(), p.data(), dvalues.data(), got.data());
    const auto value = [&](std::vector<double> at, std::size_t i, double step) {
      at[i] += step;
      std::vector<double> values(samples);
      loss_values(law.loss, samples, n, y.data(), at.data(), values.data());
      double total = 0;
      for (std::size_t s = 0; s < values.size(); ++s) total += dvalues[s] * values[s];
      return total;
    };
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double want = (value(p, i, 1e-6) - value(p, i, -1e-6)) / 2e-6;
      EXPECT_NEAR(got[i] - 1, want, 1e-6 * std::max(1.0, std::abs(want))) << i;
    }
  }
}

TEST(Losses, AreNamedByLiteralsOptionsAndStrings) {
  static_assert(Loss("mse").name() == "mean_squared_error");
  static_assert(Loss("sparse_categorical_crossentropy").class_name() ==
                "SparseCategoricalCrossentropy");
  EXPECT_EQ(Loss(Huber{.delta = 2}).name(), "huber");
  EXPECT_EQ(parse_loss("MeanSquaredError").name(), "mean_squared_error");
  EXPECT_EQ(parse_loss("bce").class_name(), "BinaryCrossentropy");
  EXPECT_EQ(Loss(MeanAbsoluteError{.reduction = "sum"}).reduction(), ReductionKind::sum);
  EXPECT_EQ(target_size("mse", 7), 7);
  EXPECT_EQ(target_size("sparse_categorical_crossentropy", 7), 1);
}

TEST(Losses, ReduceAsTheyAreTold) {
  const float weight[] = {2, 0, 1};
  const std::uint8_t mask[] = {1, 1, 0};
  const auto scales = [&](Reduction reduction, const std::uint8_t* m, const float* w) {
    const Loss loss = MeanSquaredError{.reduction = reduction};
    std::vector<float> scales(3);
    sample_scales(loss, count_samples(3, m, w), 3, m, w, scales.data());
    return scales;
  };
  using V = std::vector<float>;
  EXPECT_EQ(scales("sum", nullptr, nullptr), (V{1, 1, 1}));
  EXPECT_EQ(scales("none", mask, weight), (V{2, 0, 0}));
  EXPECT_EQ(scales("sum_over_batch_size", nullptr, weight), (V{2.f / 3, 0, 1.f / 3}));
  EXPECT_EQ(scales("mean_with_sample_weight", nullptr, weight), (V{2.f / 3, 0, 1.f / 3}));
  EXPECT_EQ(scales("mean_with_sample_weight", mask, weight), (V{1, 0, 0}));
  EXPECT_EQ(scales("sum_over_batch_size", mask, nullptr)[0], 0.5f);
  EXPECT_EQ(scales("sum_over_batch_size", mask, nullptr)[2], 0);
  const std::uint8_t nothing[] = {0, 0, 0};
  EXPECT_EQ(scales("sum_over_batch_size", nothing, nullptr), (V{0, 0, 0}));
}

TEST(Losses, RefuseAnUnknownName) {
  expect_refusal(
      [] { parse_loss("msr"); }, ErrorKind::value,
      "no loss has this name\n"
      "  got    \"msr\"\n"
      "  want   one of mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, "
      "mean_squared_logarithmic_error, huber, log_cosh, quantile, "
      "symmetric_mean_absolute_percentage_error, mean_absolute_scaled_error, "
      "gaussian_negative_log_likelihood, student_t_negative_log_likelihood, poisson, "
      "kl_divergence, cosine_similarity, hinge, squared_hinge, categorical_hinge, "
      "binary_crossentropy, "
      "binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy, "
      "sparse_categorical_crossentropy, ctc");
  expect_refusal([] { parse_reduction("average"); }, ErrorKind::value,
                 "no reduction has this name\n"
                 "  got    \"average\"\n"
                 "  want   one of sum_over_batch_size, sum, mean, mean_with_sample_weight, none");
}

TEST(Losses, RefuseALabelThatNamesNoClass) {
  const auto with_label = [](float label) {
    return [label] {
      const float p[] = {0.5f, 0.25f, 0.25f};
      float value;
      loss_values("sparse_categorical_crossentropy", 1, 3, &label, p, &value);
    };
  };
  expect_refusal(with_label(3), ErrorKind::value,
                 "sparse_categorical_crossentropy: a label names no class\n"
                 "  got    label 3\n"
                 "  want   a whole number from 0 to 2, as the predictions have 3 classes\n"
                 "hint: labels of padding are left out by a mask, or by .ignore_class");
  expect_refusal(with_label(0.5f), ErrorKind::value,
                 "sparse_categorical_crossentropy: a label names no class\n"
                 "  got    label 0.5\n"
                 "  want   a whole number from 0 to 2, as the predictions have 3 classes\n"
                 "hint: labels of padding are left out by a mask, or by .ignore_class");
}

TEST(Losses, RefuseCtcWithoutItsTimeAxis) {
  const float p[] = {1, 2}, y[] = {1};
  float value;
  expect_refusal([&] { loss_values("ctc", 1, 2, y, p, &value); }, ErrorKind::unsupported,
                 "ctc is a loss of whole sequences\n"
                 "  want   ctc_values and ctc_gradient, which know where a sequence ends");
  float scratch[20];
  const float bad[] = {2};
  expect_refusal(
      [&] { ctc_values(CtcBatch<float>::row_by_row(1, 1, 2, p, 1, bad), &value, scratch); },
      ErrorKind::value,
      "ctc: a label names no class\n"
      "  got    label 2 in row 0\n"
      "  want   0 (the blank) to 1");
}

double value_of(const Loss& loss, std::vector<double> y, std::vector<double> p) {
  double value = 0;
  loss_values(loss, 1, static_cast<Index>(p.size()), y.data(), p.data(), &value);
  return value;
}

TEST(Losses, OfForecastsAreTheirFormulas) {
  EXPECT_DOUBLE_EQ(value_of("smape", {1, 0, 3}, {3, 0, 1}), 200. / 3);
  EXPECT_DOUBLE_EQ(value_of(MeanAbsoluteScaledError{.scale = 2}, {1, 5}, {2, 2}), 1);
  EXPECT_DOUBLE_EQ(value_of(Quantile{.quantile = 0.9}, {2, 0}, {1, 1}), (0.9 + 0.1) / 2);
  const std::vector<double> series{1, 3, 2, 6, 4};
  EXPECT_DOUBLE_EQ(naive_scale(series), (2 + 1 + 4 + 2) / 4.0);
  EXPECT_DOUBLE_EQ(naive_scale(series, 2), (1 + 3 + 2) / 3.0);
  // The density of a normal number at its mean, and one deviation away, deviation 2.
  const double at_mean = std::log(2 * std::sqrt(2 * std::acos(-1.0)));
  EXPECT_NEAR(value_of("gaussian_nll", {5}, {5, std::log(4)}), at_mean, 1e-14);
  EXPECT_NEAR(value_of("gaussian_nll", {5}, {3, std::log(4)}), at_mean + 0.5, 1e-14);
  // With one degree of freedom t is Cauchy: 1 / (pi s (1 + z^2)).
  const double cauchy = std::log(std::acos(-1.0) * 3 * (1 + 4));
  EXPECT_NEAR(
      value_of(StudentTNegativeLogLikelihood{.degrees_of_freedom = 1}, {7}, {1, std::log(3)}),
      cauchy, 1e-14);
  // With very many it is normal.
  EXPECT_NEAR(
      value_of(StudentTNegativeLogLikelihood{.degrees_of_freedom = 1e9}, {5}, {3, std::log(2)}),
      at_mean + 0.5, 1e-6);
  EXPECT_EQ(target_size("gaussian_nll", 6), 3);
}

TEST(Losses, OfWholeTensorsBringAxesInOrder) {
  const Tensor y = Tensor::of<double>({2, 3, 2}, {1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1});
  const Tensor p = Tensor::of<double>({2, 3, 2}, {.6, .2, .3, .7, .1, .1, .2, .3, .5, .3, .3, .4});
  const LossResult got = evaluate_loss(CategoricalCrossentropy{.axis = 1, .reduction = "none"},
                                       {.y_true = y, .y_pred = p});
  EXPECT_EQ(got.values.shape(), (Shape{2, 2}));
  const std::vector<double> want{-std::log(.6), -std::log(.7), -std::log(.5), -std::log(.4)};
  const auto values = got.values.values<double>();
  expect_close(std::vector<double>(values.begin(), values.end()), want, 1e-14, 0, "values");
  EXPECT_NEAR(got.gradient.at({0, 0, 0}), 1 - 1 / .6, 1e-14);
  EXPECT_NEAR(got.gradient.at({0, 1, 0}), 1, 1e-14);

  // A weight for each row of a sequence, or for each step.
  const LossInputs rows{.y_true = Tensor({2, 2, 1}, DType::float64),
                        .y_pred = Tensor::of<double>({2, 2, 1}, {1, 2, 3, 4}),
                        .sample_weight = Tensor::of<double>({2}, {1, 10})};
  EXPECT_DOUBLE_EQ(evaluate_loss("mse", rows).value, (1 + 4 + 90 + 160) / 4.0);
  LossInputs steps = rows;
  steps.sample_weight = Tensor::of<double>({2, 2}, {1, 0, 2, 0});
  EXPECT_DOUBLE_EQ(evaluate_loss("mse", steps).value, (1 + 18) / 4.0);
  steps.mask = Tensor::of<std::uint8_t>({2, 2}, {1, 0, 0, 0});
  EXPECT_DOUBLE_EQ(evaluate_loss("mse", steps).value, 1);
  EXPECT_NEAR(
      evaluate_loss("mse", {.y_true = Tensor({3}), .y_pred = Tensor::of<float>({3, 1}, {1, 2, 3})})
          .value,
      14 / 3.0, 1e-6);
}

TEST(Losses, RefuseOptionsOutOfRange) {
  expect_refusal([] { check(Huber{.delta = 0}); },
                 "Huber: delta is out of range\n  got    0\n  want   above 0");
  expect_refusal([] { check(Quantile{.quantile = 1}); },
                 "Quantile: quantile is out of range\n  got    1\n  want   above 0 and below 1");
  expect_refusal([] { check(MeanAbsoluteScaledError{.scale = -2}); },
                 "MeanAbsoluteScaledError: scale is out of range\n  got    -2\n  want   above 0");
  expect_refusal([] { check(StudentTNegativeLogLikelihood{.degrees_of_freedom = 0}); },
                 "StudentTNegativeLogLikelihood: degrees_of_freedom is out of range\n"
                 "  got    0\n"
                 "  want   above 0");
  expect_refusal([] { check(BinaryCrossentropy{.label_smoothing = 1.25}); },
                 "BinaryCrossentropy: label_smoothing is out of range\n"
                 "  got    1.25\n"
                 "  want   0 to 1");
  expect_refusal([] { check(BinaryFocalCrossentropy{.gamma = -1}); },
                 "BinaryFocalCrossentropy: gamma is out of range\n"
                 "  got    -1\n"
                 "  want   at least 0");
  expect_refusal([] { check(CategoricalFocalCrossentropy{.alpha = 2}); },
                 "CategoricalFocalCrossentropy: alpha is out of range\n"
                 "  got    2\n"
                 "  want   0 to 1");
  expect_refusal(
      [] {
        value_of(CosineSimilarity{.axis = 0}, {1, 2}, {1, 2});
      },
      ErrorKind::unsupported,
      "CosineSimilarity: a model's loss is over the last axis\n"
      "  got    axis 0\n"
      "  want   -1\n"
      "hint: a Permute layer before the output brings the axis to the end; "
      "evaluate_loss() takes any");
  expect_refusal(
      [] {
        value_of("gaussian_nll", {1}, {1, 2, 3});
      },
      ErrorKind::shape,
      "GaussianNegativeLogLikelihood: an odd number of outputs\n"
      "  got    3\n"
      "  want   two for each target: all locations, then all spreads");
  const std::vector<double> flat{2, 2, 2};
  expect_refusal([&] { naive_scale(flat); },
                 "naive_scale: the naive forecast makes no error to measure by\n"
                 "hint: the series is constant, or repeats itself each season");
  expect_refusal([&] { naive_scale(flat, 3); },
                 "naive_scale: the season does not fit the series\n"
                 "  got    3 for 3 values\n"
                 "  want   at least 1, and less than there are values");
}

TEST(Losses, RefuseTensorsThatDoNotFit) {
  const Tensor p({4, 3});
  expect_refusal(
      [&] {
        evaluate_loss("mse", {.y_true = Tensor({4, 2}), .y_pred = p});
      },
      ErrorKind::shape,
      "mean_squared_error: the truth does not fit the predictions\n"
      "  got    (4, 2)\n"
      "  want   (4, 3) for predictions (4, 3)");
  expect_refusal(
      [&] {
        evaluate_loss("sparse_categorical_crossentropy", {.y_true = Tensor({3}), .y_pred = p});
      },
      ErrorKind::shape,
      "sparse_categorical_crossentropy: the truth does not fit the predictions\n"
      "  got    (3,)\n"
      "  want   (4,) for predictions (4, 3)");
  expect_refusal(
      [&] { evaluate_loss("mse", {.y_true = p, .y_pred = p, .sample_weight = Tensor({3})}); },
      ErrorKind::shape,
      "mean_squared_error: the weights do not fit\n"
      "  got    (3,)\n"
      "  want   (4,), or one a row");
  expect_refusal(
      [&] {
        evaluate_loss("mse", {.y_true = p, .y_pred = p, .mask = Tensor({4, 3})});
      },
      ErrorKind::shape,
      "mean_squared_error: the mask does not fit the predictions\n"
      "  got    (4, 3)\n"
      "  want   (4,)");
  expect_refusal(
      [&] {
        evaluate_loss("ctc", {.y_true = Tensor({4, 1}), .y_pred = p});
      },
      ErrorKind::shape,
      "ctc: the predictions have the wrong rank\n"
      "  got    (4, 3)\n"
      "  want   (batch, time, classes)");
  expect_refusal(
      [&] {
        evaluate_loss("ctc", {.y_true = Tensor({3, 1}), .y_pred = Tensor({4, 2, 3})});
      },
      ErrorKind::shape,
      "ctc: the labels do not fit the predictions\n"
      "  got    (3, 1)\n"
      "  want   (4, labels)");
  expect_refusal([&] { evaluate_loss("mse", {.y_true = p, .y_pred = p.to(DType::int32)}); },
                 "mean_squared_error: predictions are real numbers\n"
                 "  got    int32 (4, 3)\n"
                 "  want   float32 or float64");
  expect_refusal([&] { evaluate_loss(CosineSimilarity{.axis = 2}, {.y_true = p, .y_pred = p}); },
                 "cosine_similarity: there is no such axis\n  got    axis 2 of (4, 3)");
}

}  // namespace
}  // namespace unroll
