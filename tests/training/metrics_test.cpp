// Metrics: what they count, what "accuracy" becomes, refusals. Keras's numbers are in tests/golden.
#include "unroll/metrics.h"

#include "tests/training/close.h"

namespace unroll {
namespace {

/// A loss whose targets the metric can read.
Loss partner(const Metric& metric) {
  for (const Loss& loss : {Loss("mse"), Loss("sparse_categorical_crossentropy")}) {
    try {
      resolve(metric, loss, 3);
      return loss;
    } catch (const Error&) {
    }
  }
  ADD_FAILURE() << metric.name() << " reads no targets";
  return "mse";
}

/// A metric and its state.
template <class T>
struct Running {
  Running(const Metric& given, Index n)
      : metric(resolve(given, partner(given), n)),
        state(static_cast<std::size_t>(metric_state_size(metric))) {}

  /// In two parts that are added, as two lanes would.
  void update(Index n, const std::vector<T>& y, const std::vector<T>& p,
              const std::vector<T>& weight) {
    const Index samples = static_cast<Index>(p.size()) / n, half = samples / 2;
    const Index size = static_cast<Index>(y.size()) / samples;
    for (const auto& [first, last] : {std::pair(Index{0}, half), std::pair(half, samples)}) {
      std::vector<double> part(state.size());
      metric_update(metric, last - first, n, y.data() + first * size, p.data() + first * n,
                    weight.empty() ? nullptr : weight.data() + first, std::span<double>(part));
      metric_add(state, part);
    }
  }
  double result() const { return metric_result(metric, state); }

  Metric metric;
  std::vector<double> state;
};

/// The result of one update.
double measured(const Metric& metric, Index n, const std::vector<double>& y,
                const std::vector<double>& p, const std::vector<double>& weight = {}) {
  Running<double> running(metric, n);
  running.update(n, y, p, weight);
  return running.result();
}

TEST(Metrics, AccuracyIsTheKindThatFits) {
  const Metric accuracy = "acc";
  EXPECT_EQ(resolve(accuracy, "binary_crossentropy", 1).class_name(), "BinaryAccuracy");
  EXPECT_EQ(resolve(accuracy, "categorical_crossentropy", 3).class_name(), "CategoricalAccuracy");
  EXPECT_EQ(resolve(accuracy, "sparse_categorical_crossentropy", 3).class_name(),
            "SparseCategoricalAccuracy");
  EXPECT_EQ(resolve(accuracy, "mse", 3).name(), "acc");
}

TEST(Metrics, AreNamedAsTheyAreGiven) {
  static_assert(Metric("mae").name() == "mae");
  static_assert(Metric("mae").class_name() == "MeanAbsoluteError");
  static_assert(Metric(MeanAbsoluteError{}).name() == "mean_absolute_error");
  static_assert(Metric("accuracy").name() == "accuracy");
  EXPECT_EQ(parse_metric("rmse").name(), "rmse");
  EXPECT_EQ(parse_metric("RootMeanSquaredError").name(), "root_mean_squared_error");
  EXPECT_EQ(parse_metric("Accuracy").class_name(), "Accuracy");
  EXPECT_EQ(parse_metric(std::string("accuracy")).class_name(), "AnyAccuracy");
}

TEST(Metrics, CountWhatTheySay) {
  const std::vector<double> y{1, 0, 1, 0}, p{0.9, 0.8, 0.3, 0.1};
  EXPECT_DOUBLE_EQ(measured(Precision{}, 1, y, p), 0.5);
  EXPECT_DOUBLE_EQ(measured(Precision{.thresholds = 0.85}, 1, y, p), 1);
  EXPECT_DOUBLE_EQ(measured(Recall{}, 1, y, p), 0.5);
  EXPECT_DOUBLE_EQ(measured(Recall{}, 1, y, p, {1, 1, 3, 1}), 0.25);
  EXPECT_DOUBLE_EQ(measured(Precision{.top_k = 1}, 2, y, p), 1);
  EXPECT_DOUBLE_EQ(measured(Recall{.thresholds = 0.5, .class_id = 0}, 2, y, p), 0.5);
  EXPECT_DOUBLE_EQ(measured(Precision{.class_id = 1}, 2, y, p), 0);
  // Pairs in the right order: (0.9, 0.8), (0.9, 0.1), (0.3, 0.1) of four.
  EXPECT_NEAR(measured(AUC{}, 1, y, p), 0.75, 1e-12);
  EXPECT_NEAR(measured(AUC{.from_logits = true}, 1, y, {3, 2, -1, -3}), 0.75, 1e-12);
  EXPECT_LE(measured(AUC{.curve = "PR", .summation_method = "minoring"}, 1, y, p),
            measured(AUC{.curve = "PR", .summation_method = "majoring"}, 1, y, p));
}

TEST(Metrics, AverageClassesAsTheyAreTold) {
  // Classes 0 and 1; predicted 0, 0, 1, 1 where 0, 1, 1, 1 is true: f1 are 2/3 and 4/5.
  const std::vector<double> y{1, 0, 0, 1, 0, 1, 0, 1}, p{0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.4, 0.6};
  EXPECT_NEAR(measured(F1Score{.average = "macro"}, 2, y, p), (2. / 3 + 4. / 5) / 2, 1e-6);
  EXPECT_NEAR(measured(F1Score{.average = "micro"}, 2, y, p), 0.75, 1e-6);
  EXPECT_NEAR(measured(F1Score{.average = "weighted"}, 2, y, p), (2. / 3 + 3 * 4. / 5) / 4, 1e-6);
  EXPECT_NEAR(measured(F1Score{.average = "macro", .threshold = 0.5}, 2, y, p),
              (2. / 3 + 4. / 5) / 2, 1e-6);
  const std::vector<double> truth{0, 0, 1, 2, 2, 4}, guess{0, 0, 1, 0, 2, 4};
  EXPECT_DOUBLE_EQ(measured(R2Score{}, 2, truth, guess), (1 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(
      measured(R2Score{.class_aggregation = "variance_weighted_average"}, 2, truth, guess),
      (1 * 2 + 0.5 * 8) / 10);
}

TEST(Metrics, MeasureLanguageAndForecasts) {
  // Two tokens at probability 1/4 and one that is ignored.
  EXPECT_DOUBLE_EQ(measured(Perplexity{.ignore_class = 0}, 4, {1, 0, 2},
                            {0.25, 0.25, 0.25, 0.25, 1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25}),
                   4);
  EXPECT_DOUBLE_EQ(measured("smape", 1, {1, 0, 3}, {3, 0, 1}), 200. / 3);
  EXPECT_DOUBLE_EQ(measured(CosineSimilarity{}, 2, {1, 0}, {2, 0}), 1);
  EXPECT_DOUBLE_EQ(measured("rmse", 2, {0, 0, 0, 0}, {1, 1, 1, 5}), std::sqrt(7));
}

TEST(Metrics, SkipMaskedSamplesWhateverTheyHold) {
  EXPECT_DOUBLE_EQ(measured("mse", 1, {0, 0}, {2, std::nan("")}, {1, 0}), 4);
  EXPECT_EQ(measured("mse", 1, {0}, {2}, {0}), 0);
}

TEST(Metrics, RefuseWhatCannotBe) {
  expect_refusal([] { parse_metric("acuracy"); },
                 "no metric has this name\n"
                 "  got    \"acuracy\"\n"
                 "  want   one of accuracy, binary_accuracy, categorical_accuracy, "
                 "sparse_categorical_accuracy, top_k_categorical_accuracy, "
                 "sparse_top_k_categorical_accuracy, mean, sum, root_mean_squared_error, "
                 "pearson_correlation, concordance_correlation, perplexity, precision, recall, "
                 "true_positives, true_negatives, false_positives, false_negatives, "
                 "sensitivity_at_specificity, specificity_at_sensitivity, precision_at_recall, "
                 "recall_at_precision, auc, f1_score, fbeta_score, r2_score, or a loss");
  expect_refusal([] { resolve("categorical_accuracy", "sparse_categorical_crossentropy", 3); },
                 "metric \"categorical_accuracy\" cannot read the targets of loss "
                 "\"sparse_categorical_crossentropy\"\n"
                 "  got    one label a sample\n"
                 "  want   3 numbers a sample\n"
                 "hint: \"accuracy\" takes the kind that fits the loss");
  expect_refusal([] { resolve("sparse_categorical_accuracy", "mse", 3); },
                 "metric \"sparse_categorical_accuracy\" cannot read the targets of loss "
                 "\"mean_squared_error\"\n"
                 "  got    3 numbers a sample\n"
                 "  want   one label a sample\n"
                 "hint: \"accuracy\" takes the kind that fits the loss");
  expect_refusal([] { Curve::parse("roc"); },
                 "there is no such choice\n  got    \"roc\"\n  want   one of ROC, PR");
}

TEST(Metrics, GiveOneValueForEachThatIsAskedFor) {
  const Tensor y = Tensor::of<double>({4}, {1, 0, 1, 0}),
               p = Tensor::of<double>({4}, {.9, .8, .3, .1});
  const auto values = [&](const Metric& metric) {
    MetricState state(metric);
    state.update(y, p);
    return state.values();
  };
  using V = std::vector<double>;
  EXPECT_EQ(values(Precision{.thresholds = {0.2, 0.85}}), (V{2. / 3, 1}));
  EXPECT_EQ(values(Recall{.thresholds = {0.2, 0.85}}), (V{1, 0.5}));
  EXPECT_EQ(values(TruePositives{}), (V{1}));
  EXPECT_EQ(values(FalsePositives{}), (V{1}));
  EXPECT_EQ(values(TrueNegatives{}), (V{1}));
  EXPECT_EQ(values(FalseNegatives{.thresholds = 0.95}), (V{2}));
  EXPECT_EQ(values(Sum{}), (V{.9 + .8 + .3 + .1}));
  // Half of the negatives are below 0.8: then only 0.9 is found, unless all of them may be above.
  EXPECT_EQ(values(SensitivityAtSpecificity{.specificity = 0.5}), (V{1}));
  EXPECT_EQ(values(SensitivityAtSpecificity{.specificity = 0.9}), (V{0.5}));
  EXPECT_EQ(values(SpecificityAtSensitivity{.sensitivity = 0.9}), (V{0.5}));
  EXPECT_EQ(values(PrecisionAtRecall{.recall = 0.6}), (V{2. / 3}));
  EXPECT_EQ(values(RecallAtPrecision{.precision = 0.9}), (V{0.5}));
  EXPECT_NEAR(values(AUC{.thresholds = {0.2, 0.5, 0.85}})[0], 0.75, 1e-12);
}

TEST(Metrics, SeeLabelsOfTheirOwn) {
  // Column 0 is ranked perfectly, column 1 upside down.
  const Tensor y = Tensor::of<double>({3, 2}, {1, 1, 0, 0, 0, 0});
  const Tensor p = Tensor::of<double>({3, 2}, {.9, .1, .2, .8, .1, .7});
  const auto area = [&](const AUC& options) {
    MetricState state(options);
    state.update(y, p);
    return state.result();
  };
  EXPECT_NEAR(area({.multi_label = true}), 0.5, 1e-12);
  EXPECT_NEAR(area({.multi_label = true, .num_labels = 2, .label_weights = {3, 1}}), 0.75, 1e-12);

  MetricState f1(F1Score{.threshold = 0.5});
  f1.update(y, p);
  EXPECT_EQ(f1.values().size(), 2U);
  EXPECT_NEAR(f1.values()[0], 1, 1e-6);
  EXPECT_NEAR(f1.values()[1], 0, 1e-6);
  EXPECT_NEAR(f1.result(), 0.5, 1e-6);
  MetricState beta(FBetaScore{.average = "micro", .beta = 2, .threshold = 0.5});
  beta.update(y, p);  // 1 right, 2 too many, 1 missed: 5 / (5 + 4 * 1 + 2)
  EXPECT_NEAR(beta.result(), 5. / 11, 1e-6);
  MetricState r2(R2Score{.class_aggregation = "none"});
  r2.update(y, y);
  EXPECT_EQ(r2.values(), (std::vector<double>{1, 1}));
}

TEST(Metrics, CorrelateRows) {
  const Tensor y = Tensor::of<double>({2, 3}, {1, 2, 3, 1, 2, 3});
  const Tensor p = Tensor::of<double>({2, 3}, {2, 4, 6, 3, 2, 1});
  MetricState pearson(PearsonCorrelation{});
  pearson.update(y, p);
  EXPECT_NEAR(pearson.result(), 0, 1e-15);  // 1 and -1
  MetricState concordance(ConcordanceCorrelation{});
  concordance.update(y.rows(0, 1), p.rows(0, 1));
  // Variances 2/3 and 8/3, covariance 4/3, means 2 apart.
  EXPECT_NEAR(concordance.result(), 2 * 4. / 3 / (2. / 3 + 8. / 3 + 4), 1e-7);
  MetricState columns(PearsonCorrelation{.axis = 0});
  columns.update(Tensor::of<double>({3, 1}, {1, 2, 3}), Tensor::of<double>({3, 1}, {1, 3, 5}));
  EXPECT_NEAR(columns.result(), 1, 1e-15);
}

TEST(Metrics, AdjustR2ForRegressors) {
  const std::vector<double> truth{0, 1, 2, 3, 4}, guess{0, 1, 2, 3, 5};
  EXPECT_DOUBLE_EQ(measured(R2Score{}, 1, truth, guess), 0.9);
  EXPECT_DOUBLE_EQ(measured(R2Score{.num_regressors = 1}, 1, truth, guess), 1 - 0.1 * 4 / 3);
}

TEST(Metrics, TakeWeightsOfEveryKind) {
  const Tensor y = Tensor::of<double>({2, 2}, {1, 0, 0, 1}),
               p = Tensor::of<double>({2, 2}, {1, 1, 1, 1});
  const auto precision = [&](const Tensor& weight) {
    MetricState state(Precision{});
    state.update(y, p, weight);
    return state.result();
  };
  EXPECT_DOUBLE_EQ(precision({}), 0.5);
  EXPECT_DOUBLE_EQ(precision(Tensor::of<double>({2}, {1, 3})), 0.5);
  EXPECT_DOUBLE_EQ(precision(Tensor::of<double>({2, 2}, {3, 1, 1, 3})), 0.75);
  MetricState sorted(SparseTopKCategoricalAccuracy{.k = 2, .from_sorted_ids = true});
  sorted.update(Tensor::of<std::int32_t>({2}, {4, 1}),
                Tensor::of<float>({2, 3}, {7, 4, 1, 7, 4, 1}));
  EXPECT_DOUBLE_EQ(sorted.result(), 0.5);
  MetricState accuracy("accuracy");
  accuracy.update(Tensor::of<std::int32_t>({2}, {0, 1}), Tensor::of<float>({2, 2}, {1, 0, 1, 0}));
  EXPECT_DOUBLE_EQ(accuracy.result(), 0.5);
  accuracy.reset();
  EXPECT_EQ(accuracy.result(), 0);
}

TEST(Metrics, SeeTheLocationsOfDistributions) {
  // Two targets a sample, four predictions: locations, then spreads.
  const Metric mae = resolve("mae", "gaussian_nll", 4);
  EXPECT_EQ(mae.outputs(), 2);
  std::vector<double> state(static_cast<std::size_t>(metric_state_size(mae)));
  const double y[] = {1, 2, 3, 4}, p[] = {2, 2, 50, 50, 3, 6, 50, 50};
  metric_update<double>(mae, 2, 4, y, p, nullptr, state);
  EXPECT_DOUBLE_EQ(metric_result(mae, state), (1 + 0 + 0 + 2) / 4.0);
  EXPECT_EQ(resolve("gaussian_nll", "gaussian_nll", 4).outputs(), 4);
}

TEST(Metrics, HaveNamesOfTheirOwn) {
  constexpr Metric one = Metric(AUC{}).named("auc_of_rain");
  static_assert(one.name() == "auc_of_rain" && one.class_name() == "AUC");
  EXPECT_EQ(resolve(one, "mse", 1).name(), "auc_of_rain");
  EXPECT_EQ(parse_metric("LogCoshError").name(), "logcosh");
  expect_refusal([] { Metric("mae").named(""); },
                 "a metric's name is too short or too long\n  got    \"\"\n  want   1 to 47 bytes");
}

TEST(Metrics, RefuseOptionsOutOfRange) {
  const auto refused = [](const Metric& metric, const char* text) {
    expect_refusal([&] { MetricState state(metric); }, text);
    expect_refusal([&] { resolve(metric, "mse", 1); }, text);
  };
  refused(TopKCategoricalAccuracy{.k = 0},
          "TopKCategoricalAccuracy: k is out of range\n  got    0\n  want   at least 1");
  refused(Precision{.thresholds = 1.5},
          "Precision: thresholds is out of range\n  got    1.5\n  want   0 to 1");
  refused(Recall{.top_k = 0}, "Recall: top_k is out of range\n  got    0\n  want   at least 1");
  refused(Recall{.class_id = -1},
          "Recall: class_id is out of range\n  got    -1\n  want   at least 0");
  refused(AUC{.num_thresholds = 1},
          "AUC: num_thresholds is out of range\n  got    1\n  want   at least 2");
  refused(AUC{.label_weights = {1, 2}},
          "AUC: label_weights are of several labels\n  want   multi_label = true");
  refused(SensitivityAtSpecificity{.specificity = 2},
          "SensitivityAtSpecificity: specificity is out of range\n  got    2\n  want   0 to 1");
  refused(FBetaScore{.beta = 0}, "FBetaScore: beta is out of range\n  got    0\n  want   above 0");
  refused(R2Score{.num_regressors = -1},
          "R2Score: num_regressors is out of range\n  got    -1\n  want   at least 0");
  refused(Huber{.delta = -1}, "Huber: delta is out of range\n  got    -1\n  want   above 0");
}

TEST(Metrics, RefuseWhatDoesNotFit) {
  MetricState state("mse");
  expect_refusal(
      [&] {
        state.update(Tensor({4, 2}), Tensor({4, 3}));
      },
      ErrorKind::shape,
      "mse: the truth does not fit the predictions\n"
      "  got    (4, 2)\n"
      "  want   (4, 3) for predictions (4, 3)");
  expect_refusal(
      [&] {
        state.update(Tensor({4, 3}), Tensor({4, 3}), Tensor({5}));
      },
      ErrorKind::shape, "mse: the weights do not fit\n  got    (5,)\n  want   (4,), or one a row");
  MetricState f1(F1Score{});
  f1.update(Tensor({4, 3}), Tensor({4, 3}));
  expect_refusal(
      [&] {
        f1.update(Tensor({4, 2}), Tensor({4, 2}));
      },
      ErrorKind::shape,
      "f1_score: the predictions have another size than before\n"
      "  got    (4, 2)\n"
      "  want   3 numbers a sample");
  expect_refusal([] { resolve("mse", "ctc", 5); },
                 "metric \"mse\" cannot read the targets of loss \"ctc\"\n"
                 "  got    sequences of labels\n"
                 "  want   one label, or numbers, a sample\n"
                 "hint: edit_distance() in unroll/ctc.h compares what was decoded");
  expect_refusal([] { resolve("gaussian_nll", "mse", 2); },
                 "metric \"gaussian_nll\" cannot read the targets of loss \"mean_squared_error\"\n"
                 "  got    one number a target\n"
                 "  want   a location and a spread a target");
  const Metric metric = resolve(PearsonCorrelation{.axis = 1}, "mse", 2);
  std::vector<double> two(2);
  const double numbers[] = {1, 2};
  expect_refusal(
      [&] { metric_update<double>(metric, 1, 2, numbers, numbers, nullptr, two); },
      ErrorKind::unsupported,
      "PearsonCorrelation: a model's metric is over the last axis\n  got    axis 1\n  want   -1");
}

}  // namespace
}  // namespace unroll
