"""A post-renderer that lays live values over what the chart renders."""
