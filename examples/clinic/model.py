"""The model: what it looks at, which one is best, and how good it is."""

from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FEATURES = ["age", "sex", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu"]
FOLDS = KFold(5, shuffle=True, random_state=1)

CANDIDATES = {
    "ridge": make_pipeline(StandardScaler(), RidgeCV(alphas=[0.1, 1, 10, 100])),
    "boosting": GradientBoostingRegressor(n_estimators=100, max_depth=2, learning_rate=0.05, random_state=1),
}


def choose(known):
    """The candidate with the smallest error on patients it has not seen."""
    errors = {}
    for name, model in CANDIDATES.items():
        errors[name] = scores(model, known)["mae"]
        print(f"  {name:8} mae {errors[name]:.2f}", flush=True)
    return CANDIDATES[min(errors, key=errors.get)]


def scores(model, known):
    """Errors in cross-validation, beside that of a guess: everybody's mean."""
    truth = known.progression
    guess = cross_val_predict(model, known[FEATURES], truth, cv=FOLDS)
    return {
        "mae": mean_absolute_error(truth, guess),
        "mape": mean_absolute_percentage_error(truth, guess),
        "r2": r2_score(truth, guess),
        "mae_of_the_mean": (truth - truth.mean()).abs().mean(),
    }
