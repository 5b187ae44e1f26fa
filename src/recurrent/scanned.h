// Cells whose products are taken for all steps at once, and whose recurrence is number by number.
#pragma once

#include "src/kernels/scan.h"
#include "unroll/recurrent.h"

namespace unroll {

struct Walk;

/// A whole sequence's worth of a cell.
struct Scanned {
  Var y;        ///< (time, rows, output size), or the last step's (rows, output size)
  Vars states;  ///< after the last step
};

/// What a cell takes one step at a time with, row by row: numbers of its own.
struct ScanWeights {
  kernels::ScanShape shape = {};   ///< of one step of one row
  Index features = 0, window = 1;  ///< the kernel has window times features rows
  std::vector<float> kernel = {}, bias = {},
                     weights = {};  ///< of bias, that of the last gates; may be empty
  bool skip = false;                ///< SRU's highway brings the input itself
  double skip_scale = 1;
  std::vector<float> output = {},
                     skip_kernel = {};  ///< LRU: y = c' output + x skip_kernel, of `outputs`
  Index outputs = 0;
};

/// `step` in ordinary operations is what the cell means; `scan` is how sequences run. A law test
/// holds both to the same values and gradients.
class ScannedCell : public CellImpl {
 public:
  /// Whether the kernels have the cell's activation.
  virtual bool can_scan() const { return true; }
  /// x (time, rows, features). `initial`: none for zeros. A masked step keeps the states, and its
  /// output is not meant. `sequences`: all outputs, not the last alone.
  virtual Scanned scan(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                       bool sequences) = 0;
  /// The weights as they are.
  virtual ScanWeights stream_weights() const = 0;
};

/// What a recurrence of the kernels is made of; Vars that may be empty are marked so.
struct ScanParts {
  Var x = {}, kernel = {};  ///< (time, rows, features), (features, gates units)
  Var bias = {};            ///< of the last gates; empty: none
  Var weights = {};         ///< lambda or v; empty where the kind has none
  Var skip = {};            ///< (time, rows, units); empty: none, or a part of the product
  Var initial = {};         ///< (rows, state); empty: zeros
  double skip_scale = 1;
  Mask mask = {};
};

struct ScanResult {
  Var y, state;
};

/// A product and a recurrence over all steps as one entry on the tape, in chunks of time that stay
/// in the cache. `time` and `rows` of the shape are taken from x.
ScanResult scan_sequence(kernels::ScanShape shape, const ScanParts& parts, bool sequences);

/// Where the bias begins among the gates: it is that of the last ones, but SRU's fourth part has
/// none.
Index first_biased(const kernels::ScanShape& shape, Index biases);

/// One step at a time; null where the input is no vector.
std::shared_ptr<const StreamedLayer> scan_step(ScanWeights weights, const Walk& walk,
                                               const StreamRequest& request);

/// The outputs y (time, rows, n) with those of masked steps replaced: by the row's last kept one
/// (zeros before the first), or with `zero` by zeros.
Var repeat_masked(const Var& y, const Mask& mask, bool zero);

}  // namespace unroll
