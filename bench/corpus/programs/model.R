# Statistics and pictures of a table: Rscript model.R <method> <input> <output>
arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) < 3) {
  message("usage: model.R summary|lm|pca|parallel|pdf|svg|rds input output")
  quit(status = 2)
}
method <- arguments[1]
input <- arguments[2]
output <- arguments[3]
table <- read.csv(if (input == "-") file("stdin") else input)
numbers <- table[sapply(table, is.numeric)]

if (method == "summary") {
  sink(output)
  print(summary(numbers))
  sink()
} else if (method == "lm") {
  model <- lm(numbers[[1]] ~ numbers[[2]] + numbers[[3]])
  write.csv(round(coef(summary(model)), 8), output)
} else if (method == "pca") {
  # The sign of a component means nothing.
  write.csv(round(abs(prcomp(numbers, scale. = TRUE)$rotation), 8), output)
} else if (method == "parallel") {
  library(parallel)
  write.csv(unlist(mclapply(numbers, function(values) median(values), mc.cores = 2)), output)
} else if (method == "pdf") {
  pdf(output)
  plot(numbers[[1]], numbers[[2]])
  invisible(dev.off())
} else if (method == "svg") {
  svg(output)
  hist(numbers[[1]])
  invisible(dev.off())
} else if (method == "rds") {
  saveRDS(numbers, output, compress = "xz")
} else {
  stop("unknown method ", method)
}
