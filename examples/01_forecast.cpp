// P1 of the lesson: a SimpleRNN that forecasts a volatility index, from the file to the picture.
//
// UNROLL_DATA_DIR names the folder of vix-daily.csv; without it the embedded series is used. It
// must reach a training loss below 1e-3 in its last epoch, and says so.
#include <unroll/unroll.h>

#include <cstdlib>
#include <iostream>

using namespace unroll;

int main() {
  const char* folder = std::getenv("UNROLL_DATA_DIR");
  Table table = folder ? read_csv(std::string(folder) + "/vix-daily.csv") : reef();
  Tensor prices = table.column("CLOSE");
  if (prices.shape()[0] > 8946) prices = prices.rows(0, 8946);  // the days that the lesson had

  // The lesson fits the scaler on all rows, those that it forecasts among them: `unroll forecast`
  // shows what is wrong with that, and how it is done right.
  MinMaxScaler scaler;
  Tensor series = scaler.fit_transform(prices);
  Windows days = windows(series, {.length = 50});

  Sequential model{SimpleRNN(50, {.activation = "relu"}), Dense(1)};
  model.compile({.optimizer = "adam", .loss = "mse"});
  History history = model.fit(days.x, days.y, {.epochs = 20, .progress = std::cerr});

  Tensor predicted = scaler.inverse_transform(Tensor(model.predict(days.x)));
  Tensor actual = scaler.inverse_transform(days.y);
  try {
    Plot({.title = "Volatility",
          .lines = {{"True Prices", actual}, {"Predicted Prices", predicted}}})
        .save("01_forecast.png");
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';  // a machine without gnuplot
  }

  double loss = history["loss"].back();
  std::cout << "loss " << loss << " (must be below 1e-3)\n";
  return loss < 1e-3 ? 0 : 1;
}
