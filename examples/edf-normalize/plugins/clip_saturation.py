"""A benign plug-in: holds oxygen saturation to 0 to 100 percent."""


def transform(labels, signals, first_record):
    for label, values in zip(labels, signals):
        if label == "SAO2":
            values.clip(0.0, 100.0, out=values)
