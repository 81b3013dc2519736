-- Run once by the postgres image, on an empty data folder: a database of its own for each service.
CREATE DATABASE baoshen_upload;
CREATE DATABASE baoshen_validation;
CREATE DATABASE baoshen_review;
CREATE DATABASE baoshen_notify;
