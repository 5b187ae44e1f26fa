// Cells whose products are taken for all steps at once, and whose recurrence is number by number.
#pragma once

#include "src/kernels/scan.h"
#include "unroll/recurrent.h"

namespace unroll {

/// A whole sequence's worth of a cell.
struct Scanned {
  Var y;        ///< (time, rows, output size), or the last step's (rows, output size)
  Vars states;  ///< after the last step
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

/// The outputs y (time, rows, n) with those of masked steps replaced: by the row's last kept one
/// (zeros before the first), or with `zero` by zeros.
Var repeat_masked(const Var& y, const Mask& mask, bool zero);

}  // namespace unroll
