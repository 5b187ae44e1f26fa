// Logistic regression on words and word pairs that naive Bayes has weighted.
//
// Source: Wang, Manning, "Baselines and bigrams: simple, good sentiment and topic classification",
// ACL 2012; logistic regression in place of their support vector machine, as Mesnil et al., 2014.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/text.h"

namespace unroll::tasks {

/// log odds of a positive review = bias + the sum of the weights of what it has.
struct NbLogistic {
  std::vector<float> weights;  ///< by number; that of 0 is 0
  double bias = 0;

  double logit(std::span<const std::int32_t> numbers) const;
};

/// Each number's ratio is r = log(p / sum p) - log(q / sum q), p and q the positive and negative
/// texts that have it, and 1; its weight is r times a weight that minimises the mean log loss and
/// a penalty on its square. Trained by AdaGrad over the texts in an order that the seed names.
/// Requires: numbers up to `count`, labels 0 and 1, both present.
NbLogistic train_nb_logistic(const Sequences& texts, std::span<const std::int32_t> labels,
                             Index count, std::uint64_t seed);

/// Of all texts.
std::vector<double> logits(const NbLogistic& model, const Sequences& texts);
/// What models say of texts that they have not learnt from: those of each label are cut into five
/// runs, and a model of all other runs answers for each. Texts that stand together, which may be of
/// one film, so fall into one run.
/// Requires: as train_nb_logistic, of the texts without any run.
std::vector<double> unseen_logits(const Sequences& texts, std::span<const std::int32_t> labels,
                                  Index count, std::uint64_t seed);

}  // namespace unroll::tasks
