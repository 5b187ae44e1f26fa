// A table of rows (ids, F) times the kernel of a recurrent layer that reads them: made once for
// each id of a batch instead of once for each step of each row. What becomes of the other side:
// the gradients of the steps, added up by id, become those of the table and of the kernel in two
// products.
//
// Products lie as the recurrent kernels start from them: gate by gate in their own order, each
// padded. Letters are those of recurrent.h.
#pragma once

#include "src/kernels/recurrent.h"

namespace unroll::kernels {

/// Numbers from row to row of products, and those of a row that are used.
template <class T>
Index recurrent_table_width(const RecurrentShape& shape);
template <class T>
Index recurrent_table_columns(const RecurrentShape& shape);

/// Keras's kernel (F, G U) and bias (null: zeros) with their columns where the products have them:
/// (F, columns) and (columns), zeros between the gates.
template <class T>
void recurrent_table_kernel(const RecurrentShape& shape, const T* kernel, T* arranged);
template <class T>
void recurrent_table_bias(const RecurrentShape& shape, const T* bias, T* arranged);

/// dkernel (F, G U) += its gradient as the products have it, (F, columns).
template <class T>
void recurrent_table_gradient(const RecurrentShape& shape, const T* arranged, T* dkernel);

}  // namespace unroll::kernels
