# Rscript intervals.R FILE.csv NORM: the 95 % interval of the mean progression of each sex, as CSV. intervals_awk.sh does the same where there is no R.
given <- commandArgs(trailingOnly = TRUE)
patients <- read.csv(given[1])
if (!all(c("sex", "progression") %in% names(patients))) stop("no column sex or progression in ", given[1], call. = FALSE)
if (nrow(patients) < 100) stop("too few patients in ", given[1], ": ", nrow(patients), call. = FALSE)
if (!is.numeric(patients$progression)) stop("progression is no number in ", given[1], call. = FALSE)
if (anyNA(patients$progression)) stop("a line is cut off in ", given[1], call. = FALSE)
cat("sex,patients,low,high,norm\n")
for (sex in sort(unique(patients$sex))) {
  those <- patients$progression[patients$sex == sex]
  off <- 1.96 * sd(those) / sqrt(length(those))
  cat(sprintf("%s,%d,%.1f,%.1f,%s\n", sex, length(those), mean(those) - off, mean(those) + off, given[2]))
}
