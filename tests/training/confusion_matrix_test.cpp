#include "unroll/confusion_matrix.h"

#include "tests/training/close.h"

namespace unroll {
namespace {

TEST(ConfusionMatrix, CountsPairs) {
  ConfusionMatrix seen({"cat", "dog", "owl"});
  seen.update(Tensor::of<std::int32_t>({5}, {0, 0, 1, 2, 2}),
              Tensor::of<std::int32_t>({5}, {0, 1, 1, 2, 0}));
  // Predictions as one number a class; a sample of weight 2.
  seen.update(Tensor::of<std::int32_t>({1}, {1}), Tensor::of<float>({1, 3}, {0.1f, 0.7f, 0.2f}),
              Tensor::of<float>({1}, {2}));
  EXPECT_EQ(seen.count(0, 1), 1);
  EXPECT_EQ(seen.count(1, 1), 3);
  EXPECT_EQ(seen.total(), 7);
  EXPECT_DOUBLE_EQ(seen.accuracy(), 5. / 7);
  EXPECT_DOUBLE_EQ(seen.precision(0), 0.5);
  EXPECT_DOUBLE_EQ(seen.recall(2), 0.5);
  EXPECT_DOUBLE_EQ(seen.f1(1), 2 * 0.75 / 1.75);
  EXPECT_EQ(seen.text(),
            "true \\ predicted  cat  dog  owl  precision  recall     f1\n"
            "cat                 1    1    0      0.500   0.500  0.500\n"
            "dog                 0    3    0      0.750   1.000  0.857\n"
            "owl                 1    0    1      1.000   0.500  0.667\n");
  seen.reset();
  EXPECT_EQ(seen.total(), 0);
  EXPECT_EQ(seen.accuracy(), 0);
}

TEST(ConfusionMatrix, OfOneHotRowsIsThatOfLabels) {
  const Tensor rows = Tensor::of<float>({2, 2}, {0, 1, 1, 0});
  const Tensor counts =
      confusion_matrix(rows, Tensor::of<float>({2, 2}, {0.2f, 0.8f, 0.3f, 0.7f}), 2);
  EXPECT_EQ(counts.at({1, 1}), 1);
  EXPECT_EQ(counts.at({0, 1}), 1);
  EXPECT_EQ(counts.at({0, 0}), 0);
}

TEST(ConfusionMatrix, RefusesWhatCannotBe) {
  expect_refusal([] { ConfusionMatrix none(0); },
                 "ConfusionMatrix: there are no classes\n  want   at least 1");
  ConfusionMatrix seen(3);
  expect_refusal([&] { seen.update(Tensor::of<float>({1}, {3}), Tensor::of<float>({1}, {0})); },
                 "ConfusionMatrix: a label names no class\n"
                 "  got    label 3\n"
                 "  want   a whole number from 0 to 2");
  expect_refusal([&] { seen.update(Tensor({4}), Tensor({5})); }, ErrorKind::shape,
                 "ConfusionMatrix: truth and predictions do not fit\n"
                 "  got    (4,) and (5,)\n"
                 "  want   labels (...) or (..., 3) of the same samples");
  expect_refusal([&] { seen.count(0, -1); },
                 "ConfusionMatrix: a label names no class\n"
                 "  got    label -1\n"
                 "  want   a whole number from 0 to 2");
}

}  // namespace
}  // namespace unroll
