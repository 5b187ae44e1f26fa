#include "src/tasks/nb_logistic.h"

#include <algorithm>
#include <cmath>

#include "src/tasks/shuffle.h"

namespace unroll::tasks {

namespace {

constexpr Index passes = 3;
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

/// Gauss's elimination with the largest pivot; the last column is the right-hand side.
std::vector<double> solved(std::vector<std::vector<double>> rows) {
  const std::size_t n = rows.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t best = i;
    for (std::size_t k = i + 1; k < n; ++k) {
      if (std::abs(rows[k][i]) > std::abs(rows[best][i])) best = k;
    }
    std::swap(rows[i], rows[best]);
    for (std::size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = rows[k][i] / rows[i][i];
      for (std::size_t j = i; j <= n; ++j) rows[k][j] -= factor * rows[i][j];
    }
  }
  std::vector<double> result(n);
  for (std::size_t i = 0; i < n; ++i) result[i] = rows[i][n] / rows[i][i];
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

double accuracy(const NbLogistic& model, const Sequences& texts,
                std::span<const std::int32_t> labels) {
  Index right = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    right += (model.logit(texts[i]) > 0) == (labels[i] == 1) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(texts.size());
}

std::vector<double> fit_logits(const std::vector<std::vector<double>>& logits,
                               std::span<const std::int32_t> labels) {
  constexpr int most_steps = 50;
  constexpr double ridge = 1e-6, enough = 1e-9;
  const std::size_t n = logits.size() + 1;
  std::vector<double> coefficients(n), row(n, 1);
  for (int step = 0; step < most_steps; ++step) {
    std::vector<std::vector<double>> system(n, std::vector<double>(n + 1));
    for (std::size_t i = 0; i < n; ++i) {
      system[i][i] = ridge;
      system[i][n] = -ridge * coefficients[i];
    }
    for (std::size_t text = 0; text < labels.size(); ++text) {
      double logit = coefficients[n - 1];
      for (std::size_t i = 0; i + 1 < n; ++i) {
        row[i] = logits[i][text];
        logit += coefficients[i] * row[i];
      }
      const double p = sigmoid(logit), curvature = p * (1 - p);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < n; ++k) system[i][k] += curvature * row[i] * row[k];
        system[i][n] += (labels[text] - p) * row[i];
      }
    }
    double moved = 0;
    const std::vector<double> change = solved(std::move(system));
    for (std::size_t i = 0; i < n; ++i) {
      coefficients[i] += change[i];
      moved = std::max(moved, std::abs(change[i]));
    }
    if (moved < enough) break;
  }
  return coefficients;
}

}  // namespace unroll::tasks
