// The layers that walk the newer cells, and their makers.
#include "src/recurrent/newer_cells.h"
#include "src/recurrent/walker.h"

namespace unroll {

Cell MinGRUCell(Index units, const MinGRUOptions& options) {
  return std::make_shared<MinGRUCellImpl>(units, options);
}
Cell MinLSTMCell(Index units, const MinLSTMOptions& options) {
  return std::make_shared<MinLSTMCellImpl>(units, options);
}
Cell LRUCell(Index units, const LRUOptions& options) {
  return std::make_shared<LRUCellImpl>(units, options);
}
Cell QRNNCell(Index units, const QRNNOptions& options) {
  return std::make_shared<QRNNCellImpl>(units, options);
}
Cell SRUCell(Index units, const SRUOptions& options) {
  return std::make_shared<SRUCellImpl>(units, options);
}
Cell IndRNNCell(Index units, const IndRNNOptions& options) {
  return std::make_shared<IndRNNCellImpl>(units, options);
}
Cell ESNCell(Index units, const ESNOptions& options) {
  return std::make_shared<ESNCellImpl>(units, options);
}

MinGRU::MinGRU(Index units, const MinGRUOptions& options)
    : Recurrent(walker("MinGRU", MinGRUCell(units, options), options)) {}
MinLSTM::MinLSTM(Index units, const MinLSTMOptions& options)
    : Recurrent(walker("MinLSTM", MinLSTMCell(units, options), options)) {}
LRU::LRU(Index units, const LRUOptions& options)
    : Recurrent(walker("LRU", LRUCell(units, options), options)) {}
QRNN::QRNN(Index units, const QRNNOptions& options)
    : Recurrent(walker("QRNN", QRNNCell(units, options), options)) {}
SRU::SRU(Index units, const SRUOptions& options)
    : Recurrent(walker("SRU", SRUCell(units, options), options)) {}
IndRNN::IndRNN(Index units, const IndRNNOptions& options)
    : Recurrent(walker("IndRNN", IndRNNCell(units, options), options)) {}
ESN::ESN(Index units, const ESNOptions& options)
    : Recurrent(walker("ESN", ESNCell(units, options), options)) {}

Cell make_newer_cell(std::string_view class_name) {
  if (class_name == "MinGRUCell") return MinGRUCell(1);
  if (class_name == "MinLSTMCell") return MinLSTMCell(1);
  if (class_name == "LRUCell") return LRUCell(1);
  if (class_name == "QRNNCell") return QRNNCell(1);
  if (class_name == "SRUCell") return SRUCell(1);
  if (class_name == "IndRNNCell") return IndRNNCell(1);
  if (class_name == "ESNCell") return ESNCell(1);
  return nullptr;
}

std::shared_ptr<LayerImpl> make_newer_layer(std::string_view class_name) {
  // The class of a layer is that of its cell without the last word.
  Cell cell = make_newer_cell(std::string(class_name) + "Cell");
  if (cell == nullptr) return nullptr;
  return walker(std::string(class_name), std::move(cell), RNNOptions{});
}

}  // namespace unroll
