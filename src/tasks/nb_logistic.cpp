#include "src/tasks/nb_logistic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "src/tasks/shuffle.h"

namespace unroll::tasks {

namespace {

constexpr Index passes = 6;
constexpr std::size_t folds = 5;
constexpr double rate = 0.02, penalty = 1e-4;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<double> ratios(const Sequences& texts, std::span<const std::int32_t> labels,
                           Index count) {
  const auto size = static_cast<std::size_t>(count) + 1;
  std::vector<double> positive(size, 1), negative(size, 1);
  double positives = 0, negatives = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const std::int32_t number : texts[i]) {
      ++(labels[i] == 1 ? positive : negative)[static_cast<std::size_t>(number)];
    }
  }
  for (std::size_t k = 1; k < size; ++k) {
    positives += positive[k];
    negatives += negative[k];
  }
  std::vector<double> result(size);
  for (std::size_t k = 1; k < size; ++k) {
    result[k] = std::log(positive[k] / positives) - std::log(negative[k] / negatives);
  }
  return result;
}

/// The fold of each text: those of a label in as many runs.
std::vector<std::size_t> blocks(std::span<const std::int32_t> labels) {
  std::vector<std::size_t> result(labels.size());
  std::array<std::size_t, 2> rank{}, size{};
  for (const std::int32_t label : labels) ++size[static_cast<std::size_t>(label)];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    result[i] = rank[label]++ * folds / size[label];
  }
  return result;
}

}  // namespace

double NbLogistic::logit(std::span<const std::int32_t> numbers) const {
  double sum = bias;
  for (const std::int32_t number : numbers) sum += weights[static_cast<std::size_t>(number)];
  return sum;
}

NbLogistic train_nb_logistic(const Sequences& texts, std::span<const std::int32_t> labels,
                             Index count, std::uint64_t seed) {
  const std::vector<double> ratio = ratios(texts, labels, count);
  std::vector<double> weight(ratio.size()), squares(ratio.size(), 1e-8);
  double bias = 0;
  const auto step = [](double gradient, double& sum, double& value) {
    sum += gradient * gradient;
    value -= rate * gradient / std::sqrt(sum);
  };
  // Index 0 is the bias's.
  for (Index pass = 0; pass < passes; ++pass) {
    const auto order =
        shuffled(static_cast<Index>(texts.size()), seed, static_cast<std::uint64_t>(pass));
    for (const Index at : order) {
      const auto i = static_cast<std::size_t>(at);
      double logit = bias;
      for (const std::int32_t number : texts[i]) {
        const auto k = static_cast<std::size_t>(number);
        logit += ratio[k] * weight[k];
      }
      const double error = sigmoid(logit) - labels[i];
      step(error, squares[0], bias);
      for (const std::int32_t number : texts[i]) {
        const auto k = static_cast<std::size_t>(number);
        step(error * ratio[k] + penalty * weight[k], squares[k], weight[k]);
      }
    }
  }
  NbLogistic model{.weights = std::vector<float>(ratio.size()), .bias = bias};
  for (std::size_t k = 1; k < ratio.size(); ++k) {
    model.weights[k] = static_cast<float>(ratio[k] * weight[k]);
  }
  return model;
}

std::vector<double> logits(const NbLogistic& model, const Sequences& texts) {
  std::vector<double> result;
  for (const auto& numbers : texts) result.push_back(model.logit(numbers));
  return result;
}

std::vector<double> unseen_logits(const Sequences& texts, std::span<const std::int32_t> labels,
                                  Index count, std::uint64_t seed) {
  std::vector<double> result(texts.size());
  const std::vector<std::size_t> fold_of = blocks(labels);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Sequences others;
    std::vector<std::int32_t> labels_of_others;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (fold_of[i] == fold) continue;
      others.push_back(texts[i]);
      labels_of_others.push_back(labels[i]);
    }
    const NbLogistic model = train_nb_logistic(others, labels_of_others, count, seed);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (fold_of[i] == fold) result[i] = model.logit(texts[i]);
    }
  }
  return result;
}

}  // namespace unroll::tasks
