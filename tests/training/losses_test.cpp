// Losses against Keras's numbers, their gradients against difference quotients, their refusals.
#include "unroll/losses.h"

#include <functional>

#include "tests/training/options.h"
#include "unroll/error.h"

namespace unroll {
namespace {

/// A case of losses.json, computed in two parts, as two lanes would.
template <class T>
struct LossCase {
  explicit LossCase(const Json& json) : loss(parse_loss(json["class_name"].get<std::string>())) {
    fill(loss, json["kwargs"]);
    pred = numbers<T>(json["y_pred"]);
    truth = numbers<T>(json["y_true"]);
    shape = sizes(json["y_pred"]);
    n = shape.back();
    samples = static_cast<Index>(pred.size()) / n;
    mask.assign(static_cast<std::size_t>(samples), 1);
    if (json.contains("mask")) {
      masked = true;
      mask = numbers<std::uint8_t>(json["mask"]);
    }
    if (json.contains("sample_weight")) weight = numbers<T>(json["sample_weight"]);
    values.resize(mask.size());
    gradient.resize(pred.size());
  }

  void run() {
    masked = loss_mask(loss, samples, truth.data(), mask.data()) || masked;
    const Index half = samples / 2;
    LossCounts counts = count(0, half);
    counts.add(count(half, samples));
    lane(counts, 0, half);
    lane(counts, half, samples);
  }

  LossCounts count(Index first, Index last) const {
    return count_samples(last - first, masks(first), weights(first));
  }
  void lane(const LossCounts& counts, Index first, Index last) {
    const Index size = target_size(loss, n);
    std::vector<T> scales(static_cast<std::size_t>(last - first));
    sample_scales(loss, counts, last - first, masks(first), weights(first), scales.data());
    T* out = values.data() + first;
    loss_values(loss, last - first, n, truth.data() + first * size, pred.data() + first * n, out);
    loss_gradient(loss, last - first, n, truth.data() + first * size, pred.data() + first * n,
                  scales.data(), gradient.data() + first * n);
    for (std::size_t s = 0; s < scales.size(); ++s) out[s] *= scales[s];
  }
  const std::uint8_t* masks(Index first) const { return masked ? mask.data() + first : nullptr; }
  const T* weights(Index first) const { return weight.empty() ? nullptr : weight.data() + first; }

  Loss loss;
  std::vector<Index> shape;
  Index samples = 0, n = 0;
  std::vector<T> pred, truth, weight, values, gradient;
  std::vector<std::uint8_t> mask;
  bool masked = false;
};

template <class T>
void run_ctc(LossCase<T>& c) {
  const Index batch = c.shape[0], time = c.shape[1];
  const Index length = static_cast<Index>(c.truth.size()) / batch;
  c.values.resize(static_cast<std::size_t>(batch));
  std::vector<T> scales(c.values.size());
  std::vector<T> scratch(static_cast<std::size_t>(ctc_scratch_size(time, c.n, length)));
  sample_scales<T>(c.loss, count_samples<T>(batch, nullptr, nullptr), batch, nullptr, nullptr,
                   scales.data());
  ctc_values(batch, time, c.n, length, c.truth.data(), c.pred.data(), c.values.data(),
             scratch.data());
  ctc_gradient(batch, time, c.n, length, c.truth.data(), c.pred.data(), scales.data(),
               c.gradient.data(), scratch.data());
  for (std::size_t s = 0; s < scales.size(); ++s) c.values[s] *= scales[s];
}

template <class T>
struct LossesOf : testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(LossesOf, Numbers);

TYPED_TEST(LossesOf, AreKerasNumbers) {
  using T = TypeParam;
  const Json golden = golden_file("losses.json");
  if (golden.is_null()) GTEST_SKIP() << "UNROLL_GOLDEN_DIR is not set";
  const double relative = sizeof(T) == 4 ? 1e-5 : 1e-9;
  const double absolute = sizeof(T) == 4 ? 1e-6 : 1e-12;
  std::size_t count = 0;
  for (const Json& json : golden["cases"]) {
    SCOPED_TRACE(json["name"].get<std::string>());
    LossCase<T> c(json);
    const bool ctc = std::holds_alternative<CTC>(c.loss.options());
    ctc ? run_ctc(c) : c.run();
    const std::vector<T> want = numbers<T>(json[key<T>("loss")]);
    if (c.loss.reduction() == ReductionKind::none) {
      expect_close(c.values, want, relative, absolute, "loss");
    } else {
      double total = 0;
      for (T value : c.values) total += static_cast<double>(value);
      expect_close({static_cast<T>(total)}, want, relative, absolute, "loss");
    }
    expect_close(c.gradient, numbers<T>(json[key<T>("grad_y_pred")]), 10 * relative, 10 * absolute,
                 "gradient");
    ++count;
  }
  EXPECT_EQ(count, golden["cases"].size());
}

/// Options under test, each with targets that suit it.
struct Law {
  Loss loss;
  enum { any, probabilities, signs, one_hot, labels } targets;
};
const Law laws[] = {
    {MeanSquaredError{}, Law::any},
    {MeanAbsoluteError{}, Law::any},
    {MeanAbsolutePercentageError{}, Law::any},
    {MeanSquaredLogarithmicError{}, Law::probabilities},
    {Huber{.delta = 0.3}, Law::any},
    {LogCosh{}, Law::any},
    {Quantile{.quantile = 0.9}, Law::any},
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

void expect_refusal(const std::function<void()>& call, ErrorKind kind, const char* text) {
  try {
    call();
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_STREQ(error.what(), text);
  }
}

TEST(Losses, RefuseAnUnknownName) {
  expect_refusal(
      [] { parse_loss("msr"); }, ErrorKind::value,
      "no loss has this name\n"
      "  got    \"msr\"\n"
      "  want   one of mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, "
      "mean_squared_logarithmic_error, huber, log_cosh, quantile, poisson, kl_divergence, "
      "cosine_similarity, hinge, squared_hinge, categorical_hinge, binary_crossentropy, "
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
  expect_refusal([&] { ctc_values(1, 1, 2, 1, bad, p, &value, scratch); }, ErrorKind::value,
                 "ctc: a label names no class\n"
                 "  got    label 2 in row 0\n"
                 "  want   0 (the blank) to 1");
}

}  // namespace
}  // namespace unroll
