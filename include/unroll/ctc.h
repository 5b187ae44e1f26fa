// From the outputs of a network trained with the loss "ctc" to labels, and how wrong they are.
//
//   Tensor logits = model.predict(sounds);                          // (rows, time, classes)
//   for (const CtcPath& path : ctc_greedy_decode(logits)) use(path.labels);
//   auto best = ctc_beam_search_decode(logits, {.beam_width = 50, .top_paths = 3});
//
// Class 0 is the blank, as in the loss, unless .mask_index says another.
#pragma once

#include <span>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

/// A reading of a row.
struct CtcPath {
  std::vector<Index> labels;  ///< without blanks
  double score = 0;  ///< log probability: of the one path (greedy), of all that read so (beam)
};

struct CtcGreedyOptions {
  std::vector<Index> sequence_lengths = {};  ///< steps of each row that count; empty: all
  bool merge_repeated = true;  ///< a label that is repeated without a blank between is one
  Index mask_index = 0;        ///< the blank
  bool from_logits = true;     ///< false: the inputs are probabilities
};
/// The likeliest class of each step, one reading a row.
/// Shapes: inputs (batch, time, classes), float32 or float64.
/// Throws: Error (shape) for another rank or number of lengths; Error (value) for a length or blank
/// that is not there.
std::vector<CtcPath> ctc_greedy_decode(const Tensor& inputs, const CtcGreedyOptions& options = {});

struct CtcBeamOptions {
  std::vector<Index> sequence_lengths = {};
  Index beam_width = 100;  ///< readings kept after each step; the more, the surer and slower
  Index top_paths = 1;     ///< readings returned, best first; at most beam_width
  Index mask_index = 0;
  bool from_logits = true;
};
/// The likeliest readings of each row, adding up all paths that read alike (prefix beam search);
/// exact if beam_width is as large as the number of readings. Fewer than top_paths where a row has
/// no more readings. Cost: time * beam_width * classes a row. Source: Graves et al., 2006; Hannun,
/// 2017. Throws: as ctc_greedy_decode; Error (value) for a beam_width or top_paths out of range.
std::vector<std::vector<CtcPath>> ctc_beam_search_decode(const Tensor& inputs,
                                                         const CtcBeamOptions& options = {});

/// How many labels must be put in, taken out or changed to make one sequence the other.
/// Source: Levenshtein, 1966.
Index edit_distance(std::span<const Index> a, std::span<const Index> b);

/// The error rate of readings: character error rate where labels are characters. It may be above 1.
class LabelErrorRate {
 public:
  void add(std::span<const Index> truth, std::span<const Index> read);
  /// Truths as the loss takes them: (rows, length), padded with `mask_index`.
  /// Throws: Error (shape) where there is not one reading a row.
  void add(const Tensor& y_true, std::span<const CtcPath> read, Index mask_index = 0);

  /// Edits for each label of the truths; 0 where none was seen.
  double rate() const noexcept { return labels_ == 0 ? 0 : double(errors_) / double(labels_); }
  Index errors() const noexcept { return errors_; }
  Index labels() const noexcept { return labels_; }

 private:
  Index errors_ = 0, labels_ = 0;
};

}  // namespace unroll
