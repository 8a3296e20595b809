-- A tenant's own colour: hue and chroma of OKLCH. Lightness is RTV's, because words must stay readable.

alter table tenant
  -- Degrees.
  add column brand_hue smallint,
  -- Thousandths.
  add column brand_chroma smallint,
  add constraint tenant_brand_hue_range check (brand_hue between 0 and 359),
  add constraint tenant_brand_chroma_range check (brand_chroma between 0 and 400),
  add constraint tenant_brand_whole check ((brand_hue is null) = (brand_chroma is null));
