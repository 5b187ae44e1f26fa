// Metrics against Keras's numbers, what "accuracy" becomes, refusals.
#include "unroll/metrics.h"

#include <functional>

#include "tests/training/options.h"
#include "unroll/error.h"

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

template <class T>
struct MetricsOf : testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(MetricsOf, Numbers);

TYPED_TEST(MetricsOf, AreKerasNumbers) {
  using T = TypeParam;
  const Json golden = golden_file("metrics.json");
  if (golden.is_null()) GTEST_SKIP() << "UNROLL_GOLDEN_DIR is not set";
  for (const Json& json : golden["cases"]) {
    SCOPED_TRACE(json["name"].get<std::string>());
    Metric metric = parse_metric(json["class_name"].get<std::string>());
    fill(metric, json["kwargs"]);
    EXPECT_EQ(metric.name(), json["default_name"].get<std::string>());
    const bool mean = metric.class_name() == "Mean";  // takes one list, which the file calls y_true
    const Json& first = json["steps"][0][mean ? "y_true" : "y_pred"];
    const Index n = sizes(first).size() > 1 ? sizes(first).back() : 1;
    Running<T> running(metric, n);
    int number_of_step = 0;
    for (const Json& step : json["steps"]) {
      SCOPED_TRACE("step " + std::to_string(++number_of_step));
      if (step.contains("reset")) {
        running.state.assign(running.state.size(), 0);
        continue;
      }
      const auto y = numbers<T>(step["y_true"]);
      const auto weight =
          step.contains("sample_weight") ? numbers<T>(step["sample_weight"]) : std::vector<T>();
      running.update(n, y, mean ? y : numbers<T>(step["y_pred"]), weight);
      expect_close<double>({running.result()}, {number(step[key<T>("result")])},
                           sizeof(T) == 4 ? 1e-5 : 1e-9, 1e-12, "result");
    }
  }
}

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

void expect_refusal(const std::function<void()>& call, const char* text) {
  try {
    call();
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::value);
    EXPECT_STREQ(error.what(), text);
  }
}

TEST(Metrics, RefuseWhatCannotBe) {
  expect_refusal([] { parse_metric("acuracy"); },
                 "no metric has this name\n"
                 "  got    \"acuracy\"\n"
                 "  want   one of accuracy, binary_accuracy, categorical_accuracy, "
                 "sparse_categorical_accuracy, top_k_categorical_accuracy, "
                 "sparse_top_k_categorical_accuracy, mean, root_mean_squared_error, "
                 "symmetric_mean_absolute_percentage_error, perplexity, precision, recall, auc, "
                 "f1_score, r2_score, or a loss");
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

}  // namespace
}  // namespace unroll
