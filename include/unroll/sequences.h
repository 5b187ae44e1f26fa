// Sequences made ready for a model, with Keras's words.
//
//   Tensor ids = pad_sequences({{1, 2, 3}, {4}}, {.padding = "post"});  // (2, 3): 4 0 0
//   Tensor classes = to_categorical(labels);                            // (n, classes), one-hot
//   auto data = timeseries_dataset_from_array(series, targets, {.sequence_length = 50});
//   model.fit(data.all().x, data.all().y);                              // views of the series
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "unroll/windows.h"

namespace unroll {

/// The front or the back of a sequence.
enum class SideKind { pre, post };

/// A side, named by a literal that the compiler checks.
class Side {
 public:
  constexpr Side(SideKind kind = SideKind::pre) noexcept : kind_(kind) {}
  consteval Side(const char* name) : kind_(find(name)) {}
  constexpr SideKind kind() const noexcept { return kind_; }
  friend constexpr bool operator==(Side, Side) noexcept = default;

 private:
  static consteval SideKind find(std::string_view name) {
    if (name == "pre") return SideKind::pre;
    if (name == "post") return SideKind::post;
    throw "a side is \"pre\" or \"post\"";
  }

  SideKind kind_;
};

struct PadSequencesOptions {
  std::optional<Index> maxlen = {};  ///< steps of every row; none: those of the longest sequence
  DType dtype = DType::int32;
  Side padding = "pre";     ///< where `value` is put
  Side truncating = "pre";  ///< where sequences longer than maxlen lose steps
  double value = 0;
};

/// Sequences of different lengths as one tensor. Fractions lose what follows the point where dtype
/// is one of integers.
/// Shapes: n sequences -> (n, maxlen); of tensors (steps, ...) -> (n, maxlen, ...).
/// Throws: Error (value) for a negative maxlen, and for numbers that dtype cannot hold; Error
///   (shape) for tensors of rank 0 or whose steps have different shapes.
Tensor pad_sequences(const std::vector<std::vector<std::int32_t>>& sequences,
                     const PadSequencesOptions& options = {});
Tensor pad_sequences(const std::vector<std::vector<float>>& sequences,
                     const PadSequencesOptions& options = {});
Tensor pad_sequences(const std::vector<std::vector<double>>& sequences,
                     const PadSequencesOptions& options = {});
Tensor pad_sequences(const std::vector<Tensor>& sequences, const PadSequencesOptions& options = {});

/// Classes as rows of one 1. A last axis of size 1 is dropped first.
/// Shapes: (...) -> (..., classes). num_classes 0: the largest class and 1.
/// Throws: Error (value) for numbers that are not whole, negative, or not below num_classes.
Tensor to_categorical(const Tensor& classes, Index num_classes = 0, DType dtype = DType::float32);

/// The probability with which skipgrams keeps a word of each rank in a text whose words follow
/// Zipf's law: min(1, sqrt(f)), f = sampling_factor times the rank's inverse frequency.
/// Throws: Error (value) for a negative size or factor.
/// Source: Mikolov et al., "Distributed representations of words and phrases", 2013.
std::vector<double> make_sampling_table(Index size, double sampling_factor = 1e-5);

struct SkipgramsOptions {
  Index window_size = 4;        ///< words to each side of one; at least 0
  double negative_samples = 1;  ///< random pairs for each real one
  bool shuffle = true;
  bool categorical = false;  ///< labels (0, 1) and (1, 0) instead of 1 and 0
  /// The probability of each word number to be looked at; none: all are.
  std::optional<std::vector<double>> sampling_table = {};
  std::uint64_t seed = 0;  ///< of all that is drawn
};

/// Pairs of words, and whether the second stood near the first.
struct Skipgrams {
  Tensor couples;  ///< int32 (pairs, 2)
  Tensor labels;   ///< int32 (pairs,) or (pairs, 2)
};

/// The pairs of a sequence of word numbers; 0 is no word. Random pairs join a word of a real pair
/// with any of 1 to vocabulary_size - 1, and come last unless shuffled.
/// Throws: Error (value) for options out of range, for negative word numbers, for one that the
///   sampling_table lacks, and for a vocabulary_size below 2 where numbers have to be drawn.
Skipgrams skipgrams(const std::vector<std::int32_t>& sequence, Index vocabulary_size,
                    const SkipgramsOptions& options = {});

/// Windows of a series in batches: what TimeseriesGenerator and timeseries_dataset_from_array
/// make. Copies share the numbers.
/// Threads: safe from many at once.
class TimeseriesWindows {
 public:
  /// Batches, the last of which may be smaller.
  Index size() const noexcept;
  /// Windows in all batches.
  Index count() const noexcept { return count_; }
  /// A batch: x (windows; steps, ...), y (windows; ...), empty where there are no targets.
  /// Views of the series unless steps are skipped, reversed or shuffled: then copies.
  /// Throws: Error (value) where there is no such batch.
  Windows operator[](Index batch) const;
  /// All windows as one batch, not shuffled by a generator: for fit, which shuffles itself.
  Windows all() const;

 protected:
  /// Windows of evenly spaced steps; window k begins at row first + k * stride of the data, its
  /// target is row first_target + k * stride of the targets.
  struct Plan {
    Tensor data;
    std::optional<Tensor> targets;
    Index first = 0, first_target = 0, stride = 1, steps = 1, sampling_rate = 1;
    bool reverse = false;
  };
  TimeseriesWindows(Plan plan, Index count, Index batch_size);
  Windows between(Index first, Index last) const;
  Windows gather(const std::vector<Index>& windows) const;

  Plan plan_;
  Index count_ = 0;
  Index batch_size_ = 1;
  /// Draws each batch anew, with repetitions, by this seed.
  std::optional<std::uint64_t> draw_;
  std::vector<Index> order_;  ///< of the windows; empty: as they come
};

struct TimeseriesGeneratorOptions {
  Index length;                         ///< rows that a window spans; required, at least 1
  Index sampling_rate = 1;              ///< of these, every so manieth is taken
  Index stride = 1;                     ///< rows from a window's start to the next one's
  Index start_index = 0;                ///< rows before are not used
  std::optional<Index> end_index = {};  ///< the last row that is a target; none: the last of all
  bool shuffle = false;                 ///< every batch is drawn at random, with repetitions
  bool reverse = false;                 ///< the latest step comes first
  Index batch_size = 128;
  std::uint64_t seed = 0;  ///< of the shuffle: batch i is always the same
};

/// Keras's generator: the target of a window is the target of the row behind it.
class TimeseriesGenerator : public TimeseriesWindows {
 public:
  /// Throws: Error (shape) where data and targets differ in rows, or have none; Error (value) for
  ///   options out of range, and where no window fits.
  TimeseriesGenerator(const Tensor& data, const Tensor& targets,
                      const TimeseriesGeneratorOptions& options);
};

struct TimeseriesDatasetOptions {
  Index sequence_length;      ///< steps of a window; required, at least 1
  Index sequence_stride = 1;  ///< rows from a window's start to the next one's
  Index sampling_rate = 1;    ///< rows from a step to the next one
  /// None: one batch of all.
  std::optional<Index> batch_size = 128;
  bool shuffle = false;  ///< the windows' order is random
  std::uint64_t seed = 0;
  std::optional<Index> start_index = {}, end_index = {};  ///< only rows [start, end) are used
};

/// The windows of a series; see timeseries_dataset_from_array.
class TimeseriesDataset : public TimeseriesWindows {
 public:
  TimeseriesDataset(const Tensor& data, const std::optional<Tensor>& targets,
                    const TimeseriesDatasetOptions& options);
};

/// Windows of rows [start_index, end_index). The target of a window is that of its first row:
/// Keras expects targets[i] to belong to the window that begins with data[i]; give
/// targets.rows(n, ...) to predict n steps ahead. As many windows as both can fill, which may be
/// none.
/// Throws: Error (shape) for tensors of rank 0; Error (value) for options out of range.
TimeseriesDataset timeseries_dataset_from_array(const Tensor& data,
                                                const std::optional<Tensor>& targets,
                                                const TimeseriesDatasetOptions& options);

}  // namespace unroll
